package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// Names and numbers of the format; FORMAT.md explains them and a test compares.
const (
	// FormatVersion is written by this code. A higher one is refused.
	FormatVersion = 1

	journalName  = "journal.db"
	snapshotName = "snapshots.db"
	sideName     = "STORE"
	sideNewName  = "STORE.new"
	lockName     = "LOCK"
	restoreName  = "RESTORING" // there while a restore is under way

	journalMagic  = "carillon-journal"
	snapshotMagic = "carillon-snapshots"
	backupMagic   = "CRLWALB1"

	pageBytes = 4096 // of bbolt, fixed so that a store can move between machines

	// chunkBytes is the size up to which records share a value. Two values fill a
	// page: bbolt keeps at least two keys in a leaf and rewrites the whole leaf for
	// every append, so larger values multiply what is written, smaller ones the keys.
	chunkBytes       = 2000
	chunkHeaderBytes = 10
	recordFixedBytes = 16
	snapHeaderBytes  = 24
	segmentHeadBytes = 12
	segmentFootBytes = 36
	tallyBytes       = 16
	flagRedacted     = 0x01
	flagWake         = 0x02
)

var (
	bucketMeta  = []byte("meta")
	bucketIndex = []byte("index")
	bucketSnap  = []byte("snap")

	keyMagic      = []byte("magic")
	keyFormat     = []byte("format")
	keyStore      = []byte("store")
	keyOldest     = []byte("oldest")
	keyEnd        = []byte("end")
	keyIndexTally = []byte("index_tally")
	keySnapTally  = []byte("snap_tally")
	keyRestored   = []byte("restored")
	keyReplayFrom = []byte("replay_from")

	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

const (
	segmentPrefix  = 'L'
	headerKey      = uint64(0)
	footerKey      = ^uint64(0)
	segmentNameLen = 9
)

func u64key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func segmentName(first uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{segmentPrefix}, first)
}

// parseSegmentName tells a segment's bucket from the others.
func parseSegmentName(name []byte) (first uint64, ok bool) {
	if len(name) != segmentNameLen || name[0] != segmentPrefix {
		return 0, false
	}
	return binary.BigEndian.Uint64(name[1:]), true
}

// seal puts a checksum over key and payload before the payload, so that a value
// under another key is as wrong as one with another byte.
func seal(key, payload []byte) []byte {
	out := make([]byte, 4, 4+len(payload))
	binary.BigEndian.PutUint32(out, sealSum(key, payload))
	return append(out, payload...)
}

func unseal(key, value []byte) (payload []byte, ok bool) {
	if len(value) < 4 || binary.BigEndian.Uint32(value) != sealSum(key, value[4:]) {
		return nil, false
	}
	return value[4:], true
}

func sealSum(key, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, payload)
}

// chainStart is the checksum before the first record. It differs from store to
// store, so that a segment of another store never fits.
func chainStart(storeID []byte) uint32 { return crc32.Checksum(storeID, castagnoli) }

func putKey(k *[8]byte, seq uint64) { binary.BigEndian.PutUint64(k[:], seq) }
