package wal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

// sector is what a disk writes whole, or not at all.
const sector = 512

// image is a file as a power loss may leave it.
type image struct {
	durable []byte
	pending []piece // written, not flushed
	ended   bool    // pending is the meta page of a transaction
}

type piece struct {
	off  int64
	data []byte
}

// power cuts the power at every flush of a store, many times in thought: it notes
// what bbolt writes, and opens stores in which a drawn part of what was not
// flushed is lost.
type power struct {
	t         *testing.T
	rng       *rand.Rand
	dir       string
	images    map[string]*image
	acked     uint64
	skipFlush bool // pretend that the flush before the meta page did not happen
	perPoint  int  // states drawn at each point
	states    int
	err       error // the first state that is wrong
}

func newPower(t *testing.T, db *wal.DB, dir string, perPoint int) *power {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("WAL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("WAL_SEED=%d", seed)
	p := &power{t: t, rng: rand.New(rand.NewPCG(seed, 2)), dir: dir, perPoint: perPoint, images: map[string]*image{}}
	for name, b := range map[string]*bbolt.DB{journal: db.Journal(), snapshots: db.Snapshots()} {
		b.NoSync = true // the flushes are in thought too
		im := &image{durable: readFile(t, dir, name)}
		p.images[name] = im
		write := *writes(b)
		*writes(b) = func(data []byte, off int64) (int, error) {
			p.wrote(name, im, data, off)
			return write(data, off)
		}
	}
	return p
}

// wrote is called before each write.
func (p *power) wrote(name string, im *image, data []byte, off int64) {
	for _, before := range p.images { // their commits have returned
		if before.ended {
			p.flush(before)
		}
	}
	if isMeta(off) {
		p.cut(im)
		if !p.skipFlush {
			p.flush(im)
		}
		im.ended = true
	}
	fi, err := os.Stat(path(p.dir, name))
	must(p.t, err)
	if n := int(fi.Size()) - len(im.durable); n > 0 { // bbolt flushes when it grows a file
		im.durable = append(im.durable, make([]byte, n)...)
	}
	for at := 0; at < len(data); at += sector {
		end := min(at+sector, len(data))
		im.pending = append(im.pending, piece{off + int64(at), append([]byte(nil), data[at:end]...)})
	}
	if im.ended {
		p.cut(im)
	}
}

func (p *power) flush(im *image) {
	for _, w := range im.pending {
		copy(im.durable[w.off:], w.data)
	}
	im.pending, im.ended = nil, false
}

// settle is called when an operation has returned: all is flushed.
func (p *power) settle() {
	for _, im := range p.images {
		p.flush(im)
	}
}

// cut draws states at this point and opens them.
func (p *power) cut(im *image) {
	for range p.perPoint {
		if p.err != nil {
			return
		}
		p.states++
		p.err = p.try(im, p.draw(len(im.pending)))
	}
}

// draw says which of n pieces reached the disk.
func (p *power) draw(n int) func(i int) bool {
	switch p.rng.IntN(5) {
	case 0:
		return func(int) bool { return false }
	case 1:
		return func(int) bool { return true }
	case 2:
		k := p.rng.IntN(n + 1)
		return func(i int) bool { return i < k }
	case 3:
		k := p.rng.IntN(n + 1)
		return func(i int) bool { return i != k }
	default:
		return func(int) bool { return p.rng.IntN(2) == 0 }
	}
}

func (p *power) try(im *image, arrived func(int) bool) error {
	dir := p.t.TempDir()
	defer func() { must(p.t, os.RemoveAll(dir)) }()
	for name, other := range p.images {
		b := append([]byte(nil), other.durable...)
		if other == im {
			for i, w := range im.pending {
				if arrived(i) {
					copy(b[w.off:], w.data)
				}
			}
		}
		writeFile(p.t, dir, name, b)
	}
	writeFile(p.t, dir, store, readFile(p.t, p.dir, store))
	db, err := wal.Open(dir, small())
	if err != nil {
		return err
	}
	defer db.Abandon()
	return checkWork(db, p.acked)
}

// runPower works until there were enough states, or one is wrong.
func runPower(t *testing.T, skipFlush bool, states int) *power {
	t.Helper()
	dir := t.TempDir()
	db := open(t, dir)
	p := newPower(t, db, dir, 4)
	p.skipFlush = skipFlush
	enough := errors.New("enough")
	deadline := time.Now().Add(6 * time.Second)
	err := work(db, func(last uint64) error {
		p.settle()
		p.acked = last
		if p.err != nil || p.states >= states || states <= 2000 && time.Now().After(deadline) {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	must(t, db.Close())
	t.Logf("%d states, %d records acknowledged", p.states, p.acked)
	return p
}

// TestPowerLossKeepsWhatWasFlushed is W2: whatever part of the unflushed writes
// is lost, in pieces of 512 bytes, the store opens and holds all that was
// acknowledged.
func TestPowerLossKeepsWhatWasFlushed(t *testing.T) {
	t.Parallel()
	p := runPower(t, false, rounds(t, "WAL_STATES", 250))
	if p.err != nil {
		t.Fatal(p.err)
	}
	if p.states < 100 {
		t.Errorf("only %d states", p.states)
	}
}

// TestPowerLossWithoutAFlushIsCaught is the positive control.
func TestPowerLossWithoutAFlushIsCaught(t *testing.T) {
	t.Parallel()
	p := runPower(t, true, 600)
	if p.err == nil {
		t.Fatal("the pages of a transaction were not flushed before its meta page, and no state was wrong")
	}
	t.Log(fmt.Errorf("caught: %w", p.err))
}
