package wal_test

import (
	"errors"
	"fmt"
	"os"

	"carillon/wal"
)

// A day in the life of a log: two users, a decision that rests on stale state, a
// snapshot, and the start after that.
func Example() {
	dir, err := os.MkdirTemp("", "wal")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()
	log, err := wal.Open(dir, wal.Options{})
	check(err)

	// One batch, one flush: records of several users, and an index key with them.
	first, err := log.Append([]wal.Entry{
		{Stream: "ann", Data: []byte("verified"), Index: []wal.IndexOp{{Space: "phone", Key: []byte("+15550100"), Value: []byte("ann")}}},
		{Stream: "bob", Data: []byte("created")},
		{Stream: "ann", Prev: 1, Data: []byte("reminder due 09:45")},
	})
	check(err)
	fmt.Println("first sequence:", first)

	// Somebody decided for ann without having seen record 3.
	_, err = log.Append([]wal.Entry{{Stream: "ann", Prev: 1, Data: []byte("late")}})
	fmt.Println("conflict:", errors.Is(err, wal.ErrConflict))

	// The log is the timeline: newest first, by the links.
	check(log.History("ann", log.Head("ann"), func(r wal.Record) (bool, error) {
		fmt.Printf("ann %d: %s\n", r.Seq, r.Data)
		return true, nil
	}))

	// A round of snapshots, after which a start replays only what comes later.
	check(log.PutSnapshots([]wal.Snapshot{
		{Stream: "ann", Seq: 3, Wake: 1_700_000_000_000, Data: []byte("ann's state")},
		{Stream: "bob", Seq: 2, Data: []byte("bob's state")},
	}))
	check(log.SetReplayFrom(log.NextSeq()))
	_, err = log.Append([]wal.Entry{{Stream: "bob", Prev: 2, Data: []byte("opted out")}})
	check(err)
	check(log.Close())

	log, err = wal.Open(dir, wal.Options{MustExist: true})
	check(err)
	check(log.SnapshotHeaders(func(s wal.Snapshot) error {
		fmt.Printf("%s at %d, wake %d\n", s.Stream, s.Seq, s.Wake)
		return nil
	}))
	check(log.Replay(log.ReplayFrom(), func(r wal.Record) error {
		fmt.Printf("replay %d of %s: %s\n", r.Seq, r.Stream, r.Data)
		return nil
	}))
	check(log.Close())
	// Output:
	// first sequence: 1
	// conflict: true
	// ann 3: reminder due 09:45
	// ann 1: verified
	// ann at 3, wake 1700000000000
	// bob at 2, wake 0
	// replay 4 of bob: opted out
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
