package wal

import (
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// formatNames are the names and numbers of format.go, backup.go and log.go that
// FORMAT.md has to give.
func formatNames() map[string]string {
	char := func(b byte) string { return string(rune(b)) }
	return map[string]string{
		"FormatVersion": fmt.Sprint(FormatVersion),
		"journalName":   journalName, "snapshotName": snapshotName, "sideName": sideName,
		"sideNewName": sideNewName, "lockName": lockName, "restoreName": restoreName,
		"journalMagic": journalMagic, "snapshotMagic": snapshotMagic, "backupMagic": backupMagic,
		"pageBytes": fmt.Sprint(pageBytes), "chunkBytes": fmt.Sprint(chunkBytes),
		"chunkHeaderBytes": fmt.Sprint(chunkHeaderBytes), "recordFixedBytes": fmt.Sprint(recordFixedBytes),
		"snapHeaderBytes": fmt.Sprint(snapHeaderBytes), "segmentHeadBytes": fmt.Sprint(segmentHeadBytes),
		"segmentFootBytes": fmt.Sprint(segmentFootBytes), "tallyBytes": fmt.Sprint(tallyBytes),
		"flagRedacted": fmt.Sprint(flagRedacted), "flagWake": fmt.Sprint(flagWake), "segmentPrefix": char(segmentPrefix),
		"headerKey": fmt.Sprint(headerKey), "footerKey": fmt.Sprint(footerKey),
		"bucketMeta": string(bucketMeta), "bucketIndex": string(bucketIndex), "bucketSnap": string(bucketSnap),
		"keyMagic": string(keyMagic), "keyFormat": string(keyFormat), "keyStore": string(keyStore),
		"keyOldest": string(keyOldest), "keyEnd": string(keyEnd), "keyIndexTally": string(keyIndexTally),
		"keySnapTally": string(keySnapTally), "keyRestored": string(keyRestored), "keyReplayFrom": string(keyReplayFrom),
		"frameHeader": char(frameHeader), "frameBucket": char(frameBucket), "framePairs": char(framePairs),
		"frameEnd": char(frameEnd), "fileJournal": char(fileJournal), "fileSnapshots": char(fileSnapshots),
		"MaxStreamBytes": fmt.Sprint(MaxStreamBytes), "MaxDataBytes": fmt.Sprint(MaxDataBytes),
	}
}

func TestFormatDocumentHasTheNumbersOfTheCode(t *testing.T) {
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(doc), "## Numbers and names")
	if !ok {
		t.Fatal("FORMAT.md has no table of numbers and names")
	}
	want := formatNames()
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.TrimSpace(cells[1]) == "name" {
			continue
		}
		name, value := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if w, ok := want[name]; !ok {
			t.Errorf("FORMAT.md has %s, the code has not", name)
		} else if w != value {
			t.Errorf("FORMAT.md says %s is %q, the code says %q", name, value, w)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("FORMAT.md lacks %s", name)
	}
}

// TestFormatNamesAreAll: a name that is added to format.go has to be in the document.
func TestFormatNamesAreAll(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "format.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := formatNames()
	known["castagnoli"], known["segmentNameLen"] = "a table", "follows from segmentPrefix"
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for _, name := range v.Names {
				if known[name.Name] == "" {
					t.Errorf("%s is not in the comparison with FORMAT.md", name.Name)
				}
			}
		}
	}
}

// TestBytesAreWhereTheDocumentSays decodes a store with nothing but FORMAT.md in hand.
func TestBytesAreWhereTheDocumentSays(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{Rand: strings.NewReader("0123456789abcdef"), SegmentRecords: 1})
	if err != nil {
		t.Fatal(err)
	}
	op := IndexOp{Space: "phone", Key: []byte("+1"), Value: []byte("ann")}
	for i, e := range []Entry{
		{Stream: "ann", Kind: 7, Version: 2, At: -5, Data: []byte("data"), Index: []IndexOp{op}},
		{Stream: "ann", Prev: 1, At: 3, Wake: 103},
	} {
		if _, err := db.Append([]Entry{e}); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := db.PutSnapshots([]Snapshot{{Stream: "ann", Seq: 2, Wake: 9, Data: []byte("state")}}); err != nil {
		t.Fatal(err)
	}
	crc := func(parts ...string) uint32 {
		return crc32.Checksum([]byte(strings.Join(parts, "")), crc32.MakeTable(crc32.Castagnoli))
	}
	u16 := func(n uint16) string { return string(binary.BigEndian.AppendUint16(nil, n)) }
	u32 := func(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
	u64 := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
	sealed := func(key, payload string) string { return u32(crc(key, payload)) + payload }

	chain0 := crc("0123456789abcdef")
	body1 := "\x07\x02\x03" + u64(1<<64-5) + "\x00" + "\x04" + "ann" + "data"
	chain1 := crc32.Update(chain0, castagnoli, []byte(body1))
	value1 := u16(1) + u32(chain0) + "\x00" + u32(chain1) + body1
	body2 := "\x00\x00\x03" + u64(3) + "\x01" + "\xc8\x01" + "\x00" + "ann" // 100 ms ahead: 200
	chain2 := crc32.Update(chain1, castagnoli, []byte(body2))
	value2 := u16(1) + u32(chain1) + "\x02" + u32(chain2) + body2
	bytes1 := uint64(4 + len(value1))
	indexed := sealed("+1", "ann")
	snapHead := u64(2) + u64(9) + u32(crc("state"))
	snapSum := crc(snapHead, "ann")

	want := map[string]string{
		"J meta/magic":                      sealed("magic", "carillon-journal"),
		"J meta/format":                     sealed("format", u32(1)),
		"J meta/store":                      sealed("store", "0123456789abcdef"),
		"J meta/oldest":                     sealed("oldest", u64(1)+u32(chain0)),
		"J meta/end":                        sealed("end", u64(2)+u32(chain2)),
		"J meta/index_tally":                sealed("index_tally", u64(1)+u64(uint64(crc("\x05phone", "+1", indexed)))),
		"J L" + u64(1) + "/" + u64(0):       sealed("L"+u64(1), u64(1)+u32(chain0)),
		"J L" + u64(1) + "/" + u64(1):       u32(crc(u64(1), value1)) + value1,
		"J L" + u64(1) + "/" + u64(1<<64-1): sealed("L"+u64(1), u64(1)+u32(chain1)+u64(1<<64-5)+u64(1<<64-5)+u64(bytes1)),
		"J L" + u64(2) + "/" + u64(0):       sealed("L"+u64(2), u64(2)+u32(chain1)),
		"J L" + u64(2) + "/" + u64(2):       u32(crc(u64(2), value2)) + value2,
		"J index/phone/+1":                  indexed,
		"S meta/magic":                      sealed("magic", "carillon-snapshots"),
		"S meta/format":                     sealed("format", u32(1)),
		"S meta/store":                      sealed("store", "0123456789abcdef"),
		"S meta/replay_from":                sealed("replay_from", u64(1)),
		"S meta/snap_tally":                 sealed("snap_tally", u64(1)+u64(uint64(snapSum))),
		"S snap/ann":                        u32(snapSum) + snapHead + "state",
	}
	got := map[string]string{}
	for file, b := range map[string]*bbolt.DB{"J ": db.journal, "S ": db.snapshots} {
		if err := b.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return collect(file+string(name), b, got) })
		}); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%q is\n %x, FORMAT.md says\n %x", k, got[k], v)
		}
		delete(got, k)
	}
	for k := range got {
		t.Errorf("%q is not in FORMAT.md", k)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf(`{"format":1,"store":"%x","epoch":0,"last_seq":2,"last_chain":%d,"replay_from":1}`, "0123456789abcdef", chain2)
	side, err := os.ReadFile(dir + "/STORE")
	if want := fmt.Sprintf("%s\ncrc32c:%08x\n", line, crc(line)); err != nil || string(side) != want {
		t.Errorf("STORE is %q, FORMAT.md says %q (%v)", side, want, err)
	}
}

func collect(at string, b *bbolt.Bucket, into map[string]string) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return collect(at+"/"+string(k), b.Bucket(k), into)
		}
		into[at+"/"+string(k)] = string(v)
		return nil
	})
}
