//go:build linux

package wal_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"carillon/wal"
)

// TestReplayFromWithoutDescriptors: a process with no descriptor left can't
// open a new STORE. Nothing is wrong with the disk, so the log goes on; the old
// STORE holds until the next round writes a new one. It used to end the
// process.
//
// The limit is the whole process', so that this test is not parallel.
func TestReplayFromWithoutDescriptors(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	for range 6 {
		add(t, db, "ann", "text")
	}
	before, err := os.ReadFile(filepath.Join(dir, store))
	must(t, err)

	err = starved(t, func() error { return db.SetReplayFrom(3) })
	if err != nil {
		t.Fatalf("without descriptors: %v", err)
	}
	if held, err := os.ReadFile(filepath.Join(dir, store)); err != nil || string(held) != string(before) {
		t.Errorf("STORE is not as it was: %v, %s", err, held)
	}
	add(t, db, "ann", "it goes on")

	must(t, db.SetReplayFrom(3))
	if held, err := os.ReadFile(filepath.Join(dir, store)); err != nil || string(held) == string(before) {
		t.Errorf("STORE was not written by the next call: %v", err)
	}
	must(t, db.Close())
	again, err := wal.Open(dir, small())
	must(t, err)
	if from := again.ReplayFrom(); from != 3 {
		t.Errorf("replay from %d", from)
	}
	must(t, again.Close())
}

// starved runs do while no file can be opened.
func starved(t *testing.T, do func() error) error {
	t.Helper()
	var was syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was))
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: was.Max}))
	err := do()
	if f, opened := os.Open(os.DevNull); opened == nil {
		_ = f.Close()
		t.Error("there was a descriptor: this proves nothing")
	}
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was))
	return err
}
