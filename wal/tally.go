package wal

import (
	"encoding/binary"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// tally is how many pairs a tree holds and what their checksums sum up to. It is
// kept in the transaction that changes the tree. Checksums of values notice a
// byte that is wrong; only the tally notices a value that is gone or is an
// older one, since these keys are not dense as those of the log are.
type tally struct{ count, sum uint64 }

func (t *tally) add(sum uint32)    { t.count, t.sum = t.count+1, t.sum+uint64(sum) }
func (t *tally) remove(sum uint32) { t.count, t.sum = t.count-1, t.sum-uint64(sum) }

func (t tally) put(m *bbolt.Bucket, key []byte) error {
	return putSealed(m, key, binary.BigEndian.AppendUint64(u64key(t.count), t.sum))
}

func getTally(m *bbolt.Bucket, key []byte) (t tally, ok bool) {
	p, ok := unseal(key, m.Get(key))
	if !ok || len(p) != tallyBytes {
		return t, false
	}
	return tally{binary.BigEndian.Uint64(p), binary.BigEndian.Uint64(p[8:])}, true
}

// indexSum is what a pair of the index adds to the tally. It covers the space.
func indexSum(space string, key, value []byte) uint32 {
	sum := crc32.Checksum(append([]byte{byte(len(space))}, space...), castagnoli)
	return crc32.Update(crc32.Update(sum, castagnoli, key), castagnoli, value)
}

// snapSum is what a snapshot adds: the checksum of its header, which covers the
// stream and the checksum of the data.
func snapSum(value []byte) uint32 {
	if len(value) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(value)
}
