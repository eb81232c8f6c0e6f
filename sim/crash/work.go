package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"

	"carillon/wal"
)

// What the worker appends is a function of the sequence, so that a reader knows
// every byte that may be there.
const (
	workStreams  = 7
	workKeys     = 40
	workKeyLives = 20 // a key is deleted by the record so many later
	workSegment  = 40 // records
	workLogBytes = 24 << 10
)

func workStream(seq uint64) string { return fmt.Sprint("user-", seq%workStreams) }

func workData(seq uint64) []byte {
	n := int(seq % 200)
	if seq%61 == 0 {
		n = 5000 // pages of its own
	}
	b := fmt.Appendf(nil, "record %d ", seq)
	return append(b, bytes.Repeat([]byte{byte(seq), byte(seq >> 8), 'x'}, n/3)...)
}

func workKey(seq uint64) []byte { return fmt.Appendf(nil, "k%02d", seq%workKeys) }

func workIndex(seq uint64) []wal.IndexOp {
	ops := []wal.IndexOp{
		{Space: "s", Key: []byte("last"), Value: fmt.Append(nil, seq)},
		{Space: "p", Key: workKey(seq), Value: fmt.Append(nil, seq)},
	}
	if seq > workKeyLives {
		ops = append(ops, wal.IndexOp{Space: "p", Key: workKey(seq - workKeyLives)})
	}
	return ops
}

// workOptions make small files with much happening in them.
func workOptions() wal.Options {
	return wal.Options{SegmentRecords: workSegment, MmapBytes: 128 << 10, PrewarmBytes: -1, SnapshotSlice: 3}
}

// worker uses a log in every way, and says before each step what it is about to
// do (small letter) and after it that the log has acknowledged it (capital).
type worker struct {
	log wal.Log
	rng *rand.Rand

	mu  sync.Mutex
	say io.Writer
}

// Work is the life of a worker process: it creates a store in dir, uses it, stops
// in order, opens it again, goes on, and returns without a stop.
func Work(dir string, seed uint64, rounds int, say io.Writer) error {
	w := &worker{rng: rand.New(rand.NewPCG(seed, 1)), say: say}
	for half := range 2 {
		log, err := wal.Open(dir, workOptions())
		if err != nil {
			return err
		}
		w.log = log
		w.tell("O")
		if err := w.use(rounds/2, seed+uint64(half)); err != nil {
			return err
		}
		if half == 0 {
			if err := log.Close(); err != nil {
				return err
			}
			w.tell("Q")
		}
	}
	return nil
}

// tell is one write to the kernel, so that it has a place among the others.
func (w *worker) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintf(w.say, format+"\n", args...)
}

// use appends, and tidies every tenth round, on odd seeds beside the appends.
func (w *worker) use(rounds int, seed uint64) error {
	tidied := make(chan error, rounds)
	under := 0
	for round := range rounds {
		if err := w.append(1 + w.rng.IntN(9)); err != nil {
			return err
		}
		if round%10 != 9 {
			continue
		}
		if under > 0 { // one at a time
			under--
			if err := <-tidied; err != nil {
				return err
			}
		}
		draw := rand.New(rand.NewPCG(seed, uint64(round)))
		if seed%2 == 0 {
			if err := w.tidy(draw, false); err != nil {
				return err
			}
			continue
		}
		under++
		go func() { tidied <- w.tidy(draw, true) }()
	}
	for ; under > 0; under-- {
		if err := <-tidied; err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) append(n int) error {
	var batch []wal.Entry
	heads := map[string]uint64{}
	first := w.log.NextSeq()
	for seq := first; seq < first+uint64(n); seq++ {
		name := workStream(seq)
		if _, ok := heads[name]; !ok {
			heads[name] = w.log.Head(name)
		}
		batch = append(batch, wal.Entry{Stream: name, Prev: heads[name], At: int64(seq), Wake: workWake(seq), Data: workData(seq), Index: workIndex(seq)})
		heads[name] = seq
	}
	last := first + uint64(n) - 1
	w.tell("a %d", last)
	if _, err := w.log.Append(batch); err != nil {
		return err
	}
	w.tell("A %d", last)
	return nil
}

// workWake is none for every third record, and else behind its instant or ahead.
func workWake(seq uint64) int64 { return int64(seq%3) * 100 }

// tidy does what the keeper does: snapshots, where replay begins, compaction,
// blanking.
func (w *worker) tidy(draw *rand.Rand, beside bool) error {
	from := w.log.NextSeq()
	var batch []wal.Snapshot
	for i := range workStreams {
		name := fmt.Sprint("user-", i)
		if head := w.log.Head(name); head != 0 {
			batch = append(batch, wal.Snapshot{Stream: name, Seq: head, Wake: int64(head), Data: workData(head)})
			w.tell("s %s %d", name, head)
		}
	}
	if err := w.log.PutSnapshots(batch); err != nil {
		return err
	}
	for i := range batch {
		w.tell("S %s %d", batch[i].Stream, batch[i].Seq)
	}
	w.tell("r %d", from)
	if err := w.log.SetReplayFrom(from); err != nil {
		return err
	}
	w.tell("R %d", from)
	if _, err := w.log.Compact(wal.CompactOptions{MaxLogBytes: workLogBytes}); err != nil {
		return err
	}
	w.tell("C %d", w.log.Stats().FirstSeq)
	switch draw.IntN(3) {
	case 0:
		// Not the last one: it begins anew at times, and blanking ends at a beginning.
		name := fmt.Sprint("user-", draw.IntN(workStreams-1))
		head := w.log.Head(name)
		w.tell("x %s %d", name, head)
		if _, err := w.log.Redact(name, head); errors.Is(err, wal.ErrCompacted) {
			return nil
		} else if err != nil {
			return err
		}
		w.tell("X %s %d", name, head)
	case 1:
		if beside {
			return nil // a caller who appends must know first
		}
		const name = "user-6"
		w.tell("d %s 0", name)
		return w.log.DeleteSnapshot(name)
	}
	return nil
}
