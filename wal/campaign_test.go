package wal_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"carillon/wal"
)

// rounds is how often a campaign repeats: n in an ordinary run, more by variable.
func rounds(tb testing.TB, variable string, n int) int {
	tb.Helper()
	if s := os.Getenv(variable); s != "" {
		more, err := strconv.Atoi(s)
		must(tb, err)
		return more
	}
	return n
}

// grove is a store whose trees have branches: many streams, keys and segments.
func grove(tb testing.TB, dir string) *wal.DB {
	tb.Helper()
	opts := small()
	opts.SegmentRecords = 40
	db, err := wal.Open(dir, opts)
	must(tb, err)
	db.NoSync()
	const streams = 60
	for round := range 6 {
		var batch []wal.Entry
		for i := range streams {
			name := fmt.Sprintf("user-%02d", i)
			e := wal.Entry{Stream: name, Prev: db.Head(name), Kind: 1, At: int64(round), Data: fmt.Appendf(nil, "%d of %s", round, name)}
			e.Index = []wal.IndexOp{key("phone", fmt.Sprintf("+%02d%d", i, round), name)}
			if round > 0 && i%2 == 0 {
				e.Index = append(e.Index, wal.IndexOp{Space: "phone", Key: fmt.Appendf(nil, "+%02d%d", i, round-1)})
			}
			batch = append(batch, e)
		}
		for half := range 2 {
			_, err := db.Append(batch[half*streams/2 : (half+1)*streams/2])
			must(tb, err)
		}
		if round == 3 {
			var snaps []wal.Snapshot
			for i := range streams {
				name := fmt.Sprintf("user-%02d", i)
				snaps = append(snaps, wal.Snapshot{Stream: name, Seq: db.Head(name), Wake: int64(i), Data: make([]byte, 300)})
			}
			must(tb, db.PutSnapshots(snaps))
			must(tb, db.SetReplayFrom(db.NextSeq()))
		}
	}
	_, err = db.Redact("user-07", db.Head("user-07"))
	must(tb, err)
	must(tb, db.Journal().Sync())
	must(tb, db.Snapshots().Sync())
	return db
}

// TestFlippedBytesNeverGiveWrongData damages copies of a store at random. Either
// Open or Verify says so, or everything reads as it was, also after an append
// and a restart. A panic that nobody can recover would end the test process.
func TestFlippedBytesNeverGiveWrongData(t *testing.T) {
	clean, unclean := t.TempDir(), t.TempDir()
	db := grove(t, clean)
	copyStore(t, clean, unclean)
	want := pictureOf(t, db)
	must(t, db.Close())
	n := rounds(t, "WAL_FLIPS", 40)
	for name, origin := range map[string]string{"after a clean stop": clean, "after a kill": unclean} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			if s := os.Getenv("WAL_SEED"); s != "" {
				seed, _ = strconv.ParseUint(s, 10, 64)
			}
			t.Logf("WAL_SEED=%d", seed)
			rng := rand.New(rand.NewPCG(seed, 1))
			found := 0
			for round := range n {
				dir := t.TempDir()
				copyStore(t, origin, dir)
				what := damageAtRandom(t, rng, dir)
				noticed, err := stillRight(dir, want)
				if err != nil {
					t.Fatalf("seed %d, round %d, %s: %v", seed, round, what, err)
				}
				if noticed {
					found++
				}
				must(t, os.RemoveAll(dir))
			}
			t.Logf("%d of %d noticed, the others changed nothing that is read", found, n)
			if found < n/20 {
				t.Errorf("only %d of %d were noticed: the damage misses the data", found, n)
			}
		})
	}
}

// damageAtRandom flips one to three bits, half of them where bbolt keeps the
// structure of a page.
func damageAtRandom(t *testing.T, rng *rand.Rand, dir string) (what string) {
	t.Helper()
	for range 1 + rng.IntN(3) {
		file := []string{journal, snapshots, journal, snapshots, store}[rng.IntN(5)]
		b := readFile(t, dir, file)
		at := rng.IntN(len(b))
		if len(b) >= 4096 && rng.IntN(2) == 0 {
			at = at/4096*4096 + rng.IntN(120)
		}
		bit := byte(1) << rng.IntN(8)
		b[at] ^= bit
		writeFile(t, dir, file, b)
		what += fmt.Sprintf("%s at %d bit %#x; ", file, at, bit)
	}
	return what
}

// stillRight opens and verifies. noticed is an error there; err is a lie.
func stillRight(dir string, want []string) (noticed bool, err error) {
	db, err := wal.Open(dir, small())
	if err != nil {
		return true, nil
	}
	defer func() { _ = db.Close() }()
	db.NoSync()
	if _, err := db.Verify(nil); err != nil {
		return true, nil
	}
	got, err := picture(db)
	if err != nil {
		return false, fmt.Errorf("verify was content, but: %w", err)
	}
	if err := differ(got, want); err != nil {
		return false, err
	}
	return false, goOn(db, dir)
}

func differ(got, want []string) error {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Errorf("line %d of %d, want %d, differs: %q", i, len(got), len(want), got[min(i, len(got)-1)])
		}
	}
	return nil
}

// goOn changes every tree, and demands that the change and the rest are there
// after a restart: a free list that lies shows only now.
func goOn(db *wal.DB, dir string) error {
	for i := range 5 {
		_, err := db.Append([]wal.Entry{entry(db, fmt.Sprintf("new-%d", i), "on", key("phone", fmt.Sprint("-", i), "x"))})
		if err != nil {
			return err
		}
	}
	if err := db.PutSnapshots([]wal.Snapshot{{Stream: "new-1", Seq: db.Head("new-1"), Data: make([]byte, 5000)}}); err != nil {
		return err
	}
	before, err := picture(db)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	again, err := wal.Open(dir, small())
	if err != nil {
		return fmt.Errorf("after going on: %w", err)
	}
	defer func() { _ = again.Close() }()
	if _, err := again.Verify(nil); err != nil {
		return fmt.Errorf("after going on: %w", err)
	}
	after, err := picture(again)
	if err != nil {
		return err
	}
	return differ(after, before)
}
