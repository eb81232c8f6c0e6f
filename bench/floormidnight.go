package bench

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// resting is a store of people at rest, five events for tomorrow each, as a round
// of snapshots leaves it.
func resting(o Options, users int, data floorData) (db *wal.DB, dir string, err error) {
	if dir, err = o.tempDir(); err != nil {
		return nil, "", err
	}
	if db, err = wal.Open(dir, wal.Options{}); err != nil {
		return nil, dir, errors.Join(err, os.RemoveAll(dir))
	}
	const together = 1000
	at := time.Now().UnixMilli()
	u := *data.person
	for from := 0; from < users; from += together {
		var entries []wal.Entry
		var states []wal.Snapshot
		for i := from; i < min(from+together, users); i++ {
			u.ID = userID(i)
			entries = append(entries, wal.Entry{Stream: u.ID, Kind: 1, Version: codec.Version, At: at, Wake: at, Data: data.sync})
			states = append(states, wal.Snapshot{Stream: u.ID, Seq: uint64(i + 1), Wake: at, Data: codec.AppendUser([]byte{codec.Version}, &u)})
		}
		_, err := db.Append(entries)
		if err = errors.Join(err, db.PutSnapshots(states)); err != nil {
			return nil, dir, errors.Join(err, db.Close(), os.RemoveAll(dir))
		}
	}
	return db, dir, nil
}

// How far a floor of midnight goes.
const (
	toRead    = iota // the bytes of everybody's snapshot
	toDecode         // and who they are
	toJournal        // with an actor each, which writes its day's plan
)

func floorMidnight(until int) func(Options) (Result, error) {
	return func(o Options) (Result, error) {
		users := or(o.N, 200_000)
		data, err := newFloorData()
		if err != nil {
			return Result{}, err
		}
		db, dir, err := resting(o, users, data)
		if err != nil {
			return Result{}, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		ids := newPeople(users, users, time.Now()).ids
		run := func() error {
			return Each(users, 2, func(_, i int) error { _, err := back(db, ids[i], until >= toDecode); return err })
		}
		if until == toJournal {
			run = barePlans(db, ids, data.plan)
		}
		settled()
		m := Measure()
		err = run()
		m.End()
		if err != nil {
			return Result{}, err
		}
		res := Result{Workload: "floor", N: users * perDay, Variant: fmt.Sprintf("midnight, %d users", users)}
		res.Finish(m, nil, dir)
		return res, db.Close()
	}
}

// back reads somebody's snapshot.
func back(db *wal.DB, id string, decode bool) (*engine.User, error) {
	s, ok, err := db.Snapshot(id)
	if err == nil && !ok {
		err = fmt.Errorf("bench: %s has no snapshot", id)
	}
	if err != nil || !decode {
		return nil, err
	}
	rest := s.Data[1:]
	return codec.DecodeUserIn(s.Data[0], rest, unsafe.String(unsafe.SliceData(rest), len(rest))) //nolint:gosec // as production does
}

// barePlans has everybody woken, as many at a time as production does, read back,
// and their plan encoded and journalled.
func barePlans(db *wal.DB, ids []string, plan []engine.Event) func() error {
	n := newBare(len(ids), &walLog{DB: db}, func(p *barePerson, r *bareTurn) {
		u, err := back(db, p.id, true)
		if err != nil {
			panic(err) // a floor whose disk fails has no figure
		}
		r.data = codec.AppendRecord(r.data[:0], u.EventSeq+1, plan)
		bareWrite(p, r)
	})
	for i, id := range ids {
		n.people[id].head = uint64(i + 1)
	}
	const awake = 2048
	free := make(chan *bareTurn, awake)
	for range awake {
		free <- &bareTurn{then: func(r *bareTurn) { free <- r }}
	}
	return func() error {
		for _, id := range ids {
			n.ask(id, <-free)
		}
		for range awake {
			<-free
		}
		return nil
	}
}
