package wal

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// side is the content of STORE: enough to notice that a file beside it is
// another store's, an older copy, or gone.
type side struct {
	Format    int    `json:"format"`
	Store     string `json:"store"` // 16 bytes in hex
	Epoch     uint64 `json:"epoch"` // of restores
	LastSeq   uint64 `json:"last_seq"`
	LastChain uint32 `json:"last_chain"` // of the record LastSeq
	// ReplayFrom shows an older copy of the snapshots.
	ReplayFrom uint64 `json:"replay_from"`
}

func (s side) encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(append(b, '\n'), "crc32c:%08x\n", crc32.Checksum(b, castagnoli)), nil
}

func decodeSide(b []byte) (side, error) {
	const sumBytes = len("\ncrc32c:00000000\n")
	var s side
	if len(b) < sumBytes {
		return s, corrupt(sideName, 0, 0, "cut short")
	}
	body := b[:len(b)-sumBytes]
	if string(b[len(body):]) != fmt.Sprintf("\ncrc32c:%08x\n", crc32.Checksum(body, castagnoli)) {
		return s, corrupt(sideName, 0, 0, "checksum")
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return s, corrupt(sideName, 0, 0, "%v", err)
	}
	if s.Format > FormatVersion {
		return s, fmt.Errorf("%w: %s has format %d, this program knows %d", ErrNewerFormat, sideName, s.Format, FormatVersion)
	}
	if id, err := hex.DecodeString(s.Store); err != nil || len(id) != 16 || s.Format < 1 {
		return s, corrupt(sideName, 0, 0, "content")
	}
	return s, nil
}

func readSide(dir string) (side, error) {
	b, err := os.ReadFile(filepath.Join(dir, sideName))
	if errors.Is(err, fs.ErrNotExist) {
		return side{}, fmt.Errorf("%w: %s is not there, but %s is; if the files are known to be the newest, restore %s from the same copy or restore a backup",
			ErrMissing, sideName, journalName, sideName)
	}
	if err != nil {
		return side{}, err
	}
	return decodeSide(b)
}

// writeSide notes how far the log is known to reach. It runs after the flush of
// what it says.
func (db *DB) writeSide() error {
	db.sideMu.Lock()
	defer db.sideMu.Unlock()
	db.smu.RLock()
	newest := db.segments[len(db.segments)-1]
	db.smu.RUnlock()
	return storeSide(db.dir, side{
		Format: FormatVersion, Store: hex.EncodeToString(db.storeID), Epoch: db.restored.Epoch,
		LastSeq: newest.last, LastChain: newest.chain, ReplayFrom: db.replayFrom.Load(),
	})
}

// storeSide replaces STORE: the old one or the new one is there, at any time.
func storeSide(dir string, s side) error {
	b, err := s.encode()
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, sideNewName)
	if err := writeFileSync(tmp, b); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, sideName)); err != nil {
		return err
	}
	return syncDir(dir)
}

func writeFileSync(path string, b []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}
