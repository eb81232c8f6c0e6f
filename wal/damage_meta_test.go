package wal_test

import (
	"testing"

	"carillon/wal"
)

// TestAnOlderMetaPageIsRefused puts the meta page of an earlier time in the place
// of the newest. It is sound, and bbolt would go back to the transaction before
// the last one without a word: an acknowledged record would be gone (W7). The
// store campaign found it.
func TestAnOlderMetaPageIsRefused(t *testing.T) {
	const metaBytes = 4096
	for page := range 2 {
		dir := t.TempDir()
		db := open(t, dir)
		add(t, db, "ann", "1")
		early := readFile(t, dir, journal)
		for db.NextSeq() < 8 || newestMeta(t, dir) != page {
			add(t, db, "ann", "more")
		}
		db.Abandon() // STORE knows nothing of them
		late := readFile(t, dir, journal)
		copy(late[page*metaBytes:(page+1)*metaBytes], early[page*metaBytes:])
		writeFile(t, dir, journal, late)
		wantDamage(t, refuse(t, dir, wal.ErrCorrupt), journal, 0, 0)
	}
}

// newestMeta is the meta page of the last transaction.
func newestMeta(t *testing.T, dir string) int {
	t.Helper()
	b := readFile(t, dir, journal)
	const txid = 16 + 48
	if b[4096+txid] > b[txid] {
		return 1
	}
	return 0
}
