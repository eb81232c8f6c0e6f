package wal_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"carillon/wal"
	"carillon/wal/waltest"
)

// work appends numbered records for ever, with index keys, rounds of snapshots
// and compaction, and calls ack with each sequence that was acknowledged.
func work(log wal.Log, ack func(last uint64) error) error {
	for round := 0; ; round++ {
		var batch []wal.Entry
		heads := map[string]uint64{}
		first := log.NextSeq()
		for i := range 1 + round%7 {
			seq := first + uint64(i)
			name := fmt.Sprint("user-", seq%5)
			if _, ok := heads[name]; !ok {
				heads[name] = log.Head(name)
			}
			batch = append(batch, wal.Entry{
				Stream: name, Prev: heads[name], At: int64(seq), Data: payload(seq),
				Index: []wal.IndexOp{key("s", "last", fmt.Sprint(seq))},
			})
			heads[name] = seq
		}
		if _, err := log.Append(batch); err != nil {
			return err
		}
		if err := ack(first + uint64(len(batch)) - 1); err != nil {
			return err
		}
		if round%10 == 9 {
			if err := tidy(log); err != nil {
				return err
			}
		}
	}
}

func payload(seq uint64) []byte {
	return fmt.Appendf(nil, "record %d %0*d", seq, seq%200, seq)
}

func tidy(log wal.Log) error {
	var batch []wal.Snapshot
	for i := range 5 {
		if name := fmt.Sprint("user-", i); log.Head(name) != 0 {
			batch = append(batch, wal.Snapshot{Stream: name, Seq: log.Head(name), Data: payload(log.Head(name))})
		}
	}
	if err := log.PutSnapshots(batch); err != nil {
		return err
	}
	if err := log.SetReplayFrom(log.NextSeq()); err != nil {
		return err
	}
	_, err := log.Compact(wal.CompactOptions{MaxLogBytes: 30_000})
	return err
}

// checkWork is W2: every acknowledged record of work is there, dense, chained, and
// with its index key; heads and snapshots agree with the log.
func checkWork(log wal.Log, acked uint64) error {
	if next := log.NextSeq(); next <= acked {
		return fmt.Errorf("sequence %d was acknowledged, the log ends before %d", acked, next)
	}
	if _, err := log.Verify(nil); err != nil {
		return err
	}
	heads, last, first := map[string]uint64{}, uint64(0), log.Stats().FirstSeq
	err := log.Replay(0, func(r wal.Record) error {
		switch head, ok := heads[r.Stream]; {
		case last != 0 && r.Seq != last+1:
			return fmt.Errorf("record %d follows %d", r.Seq, last)
		case string(r.Data) != string(payload(r.Seq)) || r.Stream != fmt.Sprint("user-", r.Seq%5):
			return fmt.Errorf("record %d is %q of %s", r.Seq, r.Data, r.Stream)
		case ok && r.Prev != head, !ok && r.Prev >= first:
			return fmt.Errorf("record %d links to %d, not to %d", r.Seq, r.Prev, head)
		}
		heads[r.Stream], last = r.Seq, r.Seq
		return nil
	})
	if err != nil {
		return err
	}
	if last+1 != log.NextSeq() {
		return fmt.Errorf("replay ends at %d, next is %d", last, log.NextSeq())
	}
	for name, seq := range heads {
		if log.Head(name) != seq {
			return fmt.Errorf("head of %s is %d, not %d", name, log.Head(name), seq)
		}
	}
	v, _, err := log.IndexGet("s", []byte("last"))
	if err == nil && last != 0 && string(v) != fmt.Sprint(last) {
		return fmt.Errorf("the index is at %q, the log at %d", v, last)
	}
	if err != nil {
		return err
	}
	return log.SnapshotHeaders(func(h wal.Snapshot) error {
		s, _, err := log.Snapshot(h.Stream)
		if err == nil && string(s.Data) != string(payload(s.Seq)) {
			err = fmt.Errorf("snapshot of %s at %d is %q", s.Stream, s.Seq, s.Data)
		}
		return err
	})
}

func init() {
	children["work"] = func(dir string) error {
		fmt.Println("begin")
		db, err := wal.Open(dir, small())
		if err != nil {
			return err
		}
		return work(db, func(last uint64) error { _, err := fmt.Println(last); return err })
	}
}

// killWorker runs a worker on dir until it has said so many lines, kills it, and
// returns the last sequence that it acknowledged.
func killWorker(t *testing.T, dir string, lines, spins int) (acked uint64) {
	t.Helper()
	cmd := childCommand(t, "work", dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	in := bufio.NewScanner(out)
	for n := 0; in.Scan(); n++ {
		if n > 0 {
			if acked, err = strconv.ParseUint(in.Text(), 10, 64); err != nil {
				t.Fatalf("the worker says %q", in.Text())
			}
		}
		if n == lines {
			for range spins {
				runtime.Gosched()
			}
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the worker ended by itself: %v", err)
	}
	return acked
}

// checkCopy opens a copy, so that the store stays as the kill left it.
func checkCopy(t *testing.T, dir string, acked uint64) {
	t.Helper()
	next := t.TempDir()
	copyStore(t, dir, next)
	db := open(t, next)
	if err := checkWork(db, acked); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
	must(t, os.RemoveAll(next))
}

// TestKilledProcessLosesNothing is W2, with real processes. Each round goes on
// where the kill before it left the store.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var acked uint64
	for round := range rounds(t, "WAL_KILLS", 15) {
		acked = max(acked, killWorker(t, dir, 1+rand.IntN(60), rand.IntN(3000)))
		checkCopy(t, dir, acked)
		t.Logf("round %d: %d acknowledged", round, acked)
	}
	db := open(t, dir)
	if err := checkWork(db, acked); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
}

// TestKilledCreationIsWholeOrBeginsAgain kills while the store is made.
func TestKilledCreationIsWholeOrBeginsAgain(t *testing.T) {
	t.Parallel()
	for range rounds(t, "WAL_KILLS", 15) {
		dir := t.TempDir()
		acked := killWorker(t, dir, 0, rand.IntN(60_000))
		db := open(t, dir)
		if err := checkWork(db, acked); err != nil {
			t.Fatal(err)
		}
		must(t, db.Close())
	}
}

// TestTheCheckerCatchesALyingDisk is the positive control: a log that
// acknowledges before it flushes must not pass.
func TestTheCheckerCatchesALyingDisk(t *testing.T) {
	enough := errors.New("enough")
	run := func(seed uint64, lying bool) error {
		m := waltest.NewMem(waltest.MemOptions{Seed: seed, Lying: lying, SegmentRecords: 40})
		var acked uint64
		err := work(m, func(last uint64) error {
			if acked = last; last > 200 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatal(err)
		}
		return checkWork(m.CrashClone(), acked)
	}
	caught := 0
	for seed := range uint64(20) {
		if err := run(seed, false); err != nil {
			t.Errorf("an honest log, seed %d: %v", seed, err)
		}
		if run(seed, true) != nil {
			caught++
		}
	}
	if caught < 15 { // some draws lose nothing
		t.Errorf("a lying log was caught %d times of 20", caught)
	}
}
