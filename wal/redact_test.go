package wal_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"carillon/wal"
)

// TestARedactionThatIsCutShortIsKnown is N6: an erased person has more than one
// transaction can blank, and the disk fails at the second. Their last record,
// which says that they are erased, can still be read, so that the next start
// goes on.
func TestARedactionThatIsCutShortIsKnown(t *testing.T) {
	dir := t.TempDir()
	db, err := wal.Open(dir, wal.Options{})
	must(t, err)
	const records = 150
	for range records {
		add(t, db, "ann", strings.Repeat("x", 2500))
	}
	write, metas := *writes(db.Journal()), 0
	*writes(db.Journal()) = func(data []byte, off int64) (int, error) {
		if isMeta(off) {
			if metas++; metas == 2 {
				return 0, syscall.EIO
			}
		}
		return write(data, off)
	}
	if _, err := db.Redact("ann", records); !errors.Is(err, wal.ErrUnknownOutcome) {
		t.Fatalf("got %v, want unknown outcome", err)
	}
	_ = db.Close() // may complain of the failed write
	db = open(t, dir)
	var blank, last int
	must(t, db.History("ann", records, func(r wal.Record) (bool, error) {
		if r.Redacted {
			blank++
		} else if r.Seq == records {
			last++
		}
		return true, nil
	}))
	if blank == 0 || blank == records || last != 1 {
		t.Fatalf("%d of %d are blank, and the last one is readable: %t", blank, records, last == 1)
	}
	n, err := db.Redact("ann", records)
	if err != nil || n != records-blank {
		t.Errorf("the next start blanked %d, %v; want %d", n, err, records-blank)
	}
	must(t, db.Close())
}
