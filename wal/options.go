package wal

import (
	"crypto/rand"
	"io"
	"math/bits"
)

// Options of Open. The zero value is what production wants.
type Options struct {
	// SegmentRecords and SegmentBytes end a segment, whichever comes first. A
	// segment is the unit in which Compact drops: smaller ones follow the
	// retention more closely, larger ones cost fewer buckets.
	// Defaults: 65,536 records, 64 MiB.
	SegmentRecords int
	SegmentBytes   int64
	// MmapBytes is the address space reserved for each file. A file that outgrows
	// it is mapped anew, and that waits for open readers. It costs no memory.
	// Default: 16 GiB, or 256 MiB on a 32-bit machine.
	MmapBytes int
	// PrewarmBytes is how much of each file is read in order at Open: bbolt maps
	// with MADV_RANDOM, and a cold walk by page faults is 25 times slower than
	// this. Default: 8 GiB; negative: none.
	PrewarmBytes int64
	// ReserveBytes is the free space below which LowOnSpace is true.
	// Default: 64 MiB or a twentieth of the file system, whichever is less.
	ReserveBytes uint64
	// SnapshotSlice is the most snapshots written in one transaction. Default: 512
	// (about 10 ms on the reference machine).
	SnapshotSlice int
	// MustExist refuses to create a store where there is none (ErrMissing).
	MustExist bool
	// Rand gives the 16 bytes of a new store's id. Default: crypto/rand.
	Rand io.Reader

	restoring bool // Restore looks at its own work
}

func (o Options) withDefaults() Options {
	if o.SegmentRecords <= 0 {
		o.SegmentRecords = 65_536
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.MmapBytes <= 0 {
		o.MmapBytes = 256 << 20
		if bits.UintSize == 64 {
			o.MmapBytes <<= 6
		}
	}
	if o.PrewarmBytes == 0 {
		o.PrewarmBytes = 8 << 30
	}
	if o.SnapshotSlice <= 0 {
		o.SnapshotSlice = 512
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}
