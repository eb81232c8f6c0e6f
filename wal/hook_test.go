package wal_test

import (
	"os"
	"reflect"
	"unsafe"

	"go.etcd.io/bbolt"
)

type writeAt = func(b []byte, off int64) (int, error)

// writes is bbolt's way to the disk, which it keeps in a field that tests may
// change (ops.writeAt, unexported). All that it writes goes through here; what it
// flushes does not, but the order is known: the pages of a transaction, a flush,
// one of the two meta pages, a flush.
func writes(b *bbolt.DB) *writeAt {
	f := reflect.ValueOf(b).Elem().FieldByName("ops").FieldByName("writeAt")
	return (*writeAt)(unsafe.Pointer(f.UnsafeAddr()))
}

// boltFile is the file that bbolt flushes. With it closed, a flush fails.
func boltFile(b *bbolt.DB) *os.File {
	f := reflect.ValueOf(b).Elem().FieldByName("file")
	return *(**os.File)(unsafe.Pointer(f.UnsafeAddr()))
}

// isMeta tells a write of a meta page, which ends a transaction.
func isMeta(off int64) bool { return off == 0 || off == 4096 }
