package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"carillon/wal"
)

// storeFiles are the files of a store that is not open.
type storeFiles map[string][]byte

var storeNames = []string{"journal.db", "snapshots.db", "STORE"}

func readStore(dir string) (storeFiles, error) {
	s := storeFiles{}
	for _, name := range storeNames {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		s[name] = b
	}
	return s, nil
}

func (s storeFiles) write(dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return err
	}
	for name, b := range s {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// injury is a way to damage a store. older and other are the same store some time
// before, and another one.
type injury struct {
	name string
	do   func(rng *rand.Rand, s, older, other storeFiles) (what string)
}

func anyFile(rng *rand.Rand) string { return storeNames[rng.IntN(len(storeNames))] }
func bolt(rng *rand.Rand) string    { return storeNames[rng.IntN(2)] }

// usedPage is one below the end of what a file uses.
func usedPage(rng *rand.Rand, b []byte) int {
	f := boltFile{b: b}
	m, err := f.metaPage(0)
	if m1, err1 := f.metaPage(1); err1 == nil && (err != nil || m1.tx > m.tx) {
		m = m1
	}
	return rng.IntN(max(1, min(int(m.high), len(b)/page)))
}

const fileMissing = "file missing"

var injuries = []injury{
	{"bits flipped", func(rng *rand.Rand, s, _, _ storeFiles) (what string) {
		for range 1 + rng.IntN(3) {
			name := anyFile(rng)
			b := s[name]
			at := rng.IntN(len(b))
			if name != "STORE" {
				at = usedPage(rng, b)*page + rng.IntN(page)
				if rng.IntN(2) == 0 {
					at = at/page*page + rng.IntN(120) // where bbolt keeps the structure
				}
			}
			b[at] ^= 1 << rng.IntN(8)
			what += fmt.Sprintf("%s at %d; ", name, at)
		}
		return what
	}},
	{"page zeroed", func(rng *rand.Rand, s, _, _ storeFiles) string {
		name := bolt(rng)
		p := usedPage(rng, s[name])
		clear(s[name][p*page : (p+1)*page])
		return fmt.Sprint(name, " page ", p)
	}},
	{"page in the place of another", func(rng *rand.Rand, s, _, _ storeFiles) string {
		name := bolt(rng)
		from, to := usedPage(rng, s[name]), usedPage(rng, s[name])
		copy(s[name][to*page:(to+1)*page], s[name][from*page:(from+1)*page])
		return fmt.Sprint(name, " page ", from, " over ", to)
	}},
	{"page of an older time", func(rng *rand.Rand, s, older, _ storeFiles) string {
		name := bolt(rng)
		p := min(usedPage(rng, s[name]), len(older[name])/page-1)
		copy(s[name][p*page:(p+1)*page], older[name][p*page:])
		return fmt.Sprint(name, " page ", p)
	}},
	{"file cut", func(rng *rand.Rand, s, _, _ storeFiles) string {
		name := anyFile(rng)
		n := rng.IntN(len(s[name]))
		if name != "STORE" {
			n = n / sector * sector
		}
		s[name] = s[name][:n]
		return fmt.Sprint(name, " to ", n)
	}},
	{"file emptied", func(rng *rand.Rand, s, _, _ storeFiles) string {
		name := anyFile(rng)
		s[name] = nil
		return name
	}},
	{fileMissing, func(rng *rand.Rand, s, _, _ storeFiles) string {
		name := anyFile(rng)
		delete(s, name)
		return name
	}},
	{"file of an older time", func(rng *rand.Rand, s, older, _ storeFiles) string {
		name := anyFile(rng)
		s[name] = append([]byte(nil), older[name]...)
		return name
	}},
	{"file of another store", func(rng *rand.Rand, s, _, other storeFiles) string {
		name := anyFile(rng)
		s[name] = append([]byte(nil), other[name]...)
		return name
	}},
	{"files swapped", func(rng *rand.Rand, s, _, _ storeFiles) string {
		a := rng.IntN(3)
		b := (a + 1 + rng.IntN(2)) % 3
		s[storeNames[a]], s[storeNames[b]] = s[storeNames[b]], s[storeNames[a]]
		return storeNames[a] + " and " + storeNames[b]
	}},
}

func (s storeFiles) copy() storeFiles {
	c := storeFiles{}
	for name, b := range s {
		c[name] = append([]byte(nil), b...)
	}
	return c
}

// damageResult is what a child says of its rounds, as JSON.
type damageResult struct {
	Refused, Harmless map[string]int
	Wrong             string
}

// damageWork is a child that damages stores n times and opens each. It is a
// process of its own, since what bbolt does with a page that lies can't always
// be recovered.
func damageWork(dir string, seed uint64, n int, out io.Writer) error {
	older, now, err := grow(filepath.Join(dir, "origin"), seed)
	if err != nil {
		return err
	}
	_, other, err := grow(filepath.Join(dir, "other"), seed+1)
	if err != nil {
		return err
	}
	store := filepath.Join(dir, "damaged")
	if err := now.write(store); err != nil {
		return err
	}
	want, err := digest(store)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 4))
	r := damageResult{Refused: map[string]int{}, Harmless: map[string]int{}}
	for i := range n {
		kind := injuries[i%len(injuries)]
		if rng.IntN(2) == 0 {
			kind = injuries[0]
		}
		files := now.copy()
		what := kind.do(rng, files, older, other)
		if err := files.write(store); err != nil {
			return err
		}
		got, err := digest(store)
		switch {
		case err == nil && got == want:
			r.Harmless[kind.name]++
		case err == nil:
			r.Wrong = fmt.Sprintf("%s, %s: opened, with other contents", kind.name, what)
		case !named(err):
			r.Wrong = fmt.Sprintf("%s, %s: refused without saying where: %v", kind.name, what, err)
		default:
			r.Refused[kind.name]++
		}
		if r.Wrong != "" {
			break
		}
	}
	return json.NewEncoder(out).Encode(r)
}

// grow makes a store with a past: as it was at half its age, and as a kill leaves it.
func grow(dir string, seed uint64) (half, now storeFiles, err error) {
	var say strings.Builder
	stopped := storeFiles{}
	watch := watcher{func(line string) {
		if strings.HasPrefix(line, "Q") {
			stopped, err = readStore(dir)
		}
	}}
	if werr := Work(dir, seed&^1, 160, io.MultiWriter(&say, watch)); werr != nil || err != nil {
		return nil, nil, errors.Join(werr, err)
	}
	now, err = readStore(dir)
	return stopped, now, err
}

type watcher struct{ line func(string) }

// Write implements io.Writer.
func (w watcher) Write(p []byte) (int, error) {
	w.line(string(p))
	return len(p), nil
}

// named says whether an error tells a person which file it is about and why.
func named(err error) bool {
	for _, kind := range []error{wal.ErrCorrupt, wal.ErrForeign, wal.ErrMissing, wal.ErrStale, wal.ErrNewerFormat} {
		if errors.Is(err, kind) {
			return namesFile(err.Error())
		}
	}
	return false
}

// digest is of everything that the log gives to its callers.
func digest(dir string) (sum uint64, err error) {
	o := workOptions()
	o.MustExist = true
	log, err := wal.Open(dir, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if _, err := log.Verify(nil); err != nil {
		return 0, err
	}
	h := fnv.New64a()
	note := func(args ...any) { _, _ = fmt.Fprintln(h, args...) }
	err = log.Replay(0, func(r wal.Record) error {
		note(r.Seq, r.Stream, r.Prev, r.At, r.Wake, r.Redacted, string(r.Data), log.Head(r.Stream))
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = log.SnapshotHeaders(func(head wal.Snapshot) error {
		s, ok, err := log.Snapshot(head.Stream)
		note(s.Stream, s.Seq, head.Wake, ok, string(s.Data))
		return err
	})
	for _, space := range []string{"s", "p"} {
		if err == nil {
			err = log.IndexScan(space, nil, 0, func(key, value []byte) error {
				note(space, string(key), string(value))
				return nil
			})
		}
	}
	note(log.NextSeq(), log.ReplayFrom())
	return h.Sum64(), err
}

// damageRounds is how many stores one child damages.
const damageRounds = 400

// Damage lets children damage stores until the time is over, or one is wrong.
func Damage(ctx context.Context, o Options, d time.Duration) (r DamageReport, err error) {
	dir, err := workplace()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := o.Now()
	r.Refused, r.Harmless = map[string]int{}, map[string]int{}
	for seed := o.Seed; r.Wrong == "" && ctx.Err() == nil && o.Now().Sub(began) < d; seed += 2 {
		var one damageResult
		args := append(append([]string(nil), o.Child[1:]...), "damage", filepath.Join(dir, fmt.Sprint(seed)), fmt.Sprint(seed), fmt.Sprint(damageRounds))
		out, err := exec.CommandContext(ctx, o.Child[0], args...).Output()
		if ctx.Err() != nil {
			break
		}
		if err := errors.Join(err, json.Unmarshal(out, &one)); err != nil {
			one.Wrong = fmt.Sprintf("the process that opens damaged stores has died: %v", err)
		}
		for kind, n := range one.Refused {
			r.Refused[kind] += n
		}
		for kind, n := range one.Harmless {
			r.Harmless[kind] += n
		}
		if one.Wrong != "" {
			r.Wrong = fmt.Sprintf("seed %d: %s", seed, one.Wrong)
		}
		_ = os.RemoveAll(filepath.Join(dir, fmt.Sprint(seed)))
	}
	r.Seconds = o.Now().Sub(began).Seconds()
	return r, nil
}
