package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options of a campaign.
type Options struct {
	// Child is a command that passes its arguments on to Child: a program that
	// has the log in it.
	Child []string
	// Carillon is the real binary; without one the parts that need it are left out.
	Carillon string
	// Env is added to its environment.
	Env []string
	// Source is the folder of the module, from which controls are built; empty: none.
	Source string
	Seed   uint64
	// Time is how long states, calls and damage are looked for, in all.
	Time time.Duration
	// Players judge states at the same time; 0 is two.
	Players int
	// Kept is a folder for states and logs that are wrong.
	Kept string
	Now  func() time.Time

	calls string // only faults of this system call
	// Say reports progress; nil: nobody listens.
	Say func(format string, args ...any)
}

func (o *Options) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(format, args...)
	}
}

// workplace is a folder for what comes and goes: in memory, if the machine has
// such a place.
func workplace() (string, error) {
	const memory = "/dev/shm"
	if fi, err := os.Stat(memory); err == nil && fi.IsDir() {
		if dir, err := os.MkdirTemp(memory, "carillon-crash-"); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", "carillon-crash-")
}

const (
	traceRounds = 120
	traceUpTo   = 4000 // more records than a trace has
	statesPoint = 250
	reopenEvery = 400
)

// States records traces and judges crash states until the time is over, or one
// is wrong.
func States(ctx context.Context, o Options, d time.Duration) (r StatesReport, err error) {
	if err := straceThere(); err != nil {
		return r, err
	}
	dir, err := workplace()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := o.Now()
	enough := func() bool { return ctx.Err() != nil || o.Now().Sub(began) >= d }
	r.Kinds = map[string]int{}
	known := newContent(traceUpTo)
	type recorded struct {
		trace []happening
		seed  uint64
		err   error
	}
	next := make(chan recorded, 1)
	stop, cancel := context.WithCancel(ctx)
	var recorder sync.WaitGroup
	recorder.Go(func() {
		for seed := o.Seed; stop.Err() == nil; seed++ {
			trace, err := record(stop, o.Child, dir, seed, traceRounds)
			select {
			case next <- recorded{trace, seed, err}:
			case <-stop.Done():
			}
		}
	})
	defer recorder.Wait()
	defer cancel()
	for !enough() {
		t := <-next
		if t.err != nil {
			return r, t.err
		}
		if err := o.judge(&r, t.trace, t.seed, known, dir, enough); err != nil {
			r.Wrong = fmt.Sprintf("seed %d: %v", t.seed, err)
			break
		}
	}
	r.Seconds = o.Now().Sub(began).Seconds()
	return r, nil
}

// judge lets the players play one trace.
func (o *Options) judge(r *StatesReport, trace []happening, seed uint64, known *content, dir string, enough func() bool) error {
	players := o.Players
	if players == 0 {
		players = 2
	}
	all := make([]*player, players)
	wrong := make([]error, players)
	var wg sync.WaitGroup
	for i := range all {
		scratch := filepath.Join(dir, fmt.Sprint("reopen-", i))
		if err := os.MkdirAll(scratch, 0o700); err != nil {
			return err
		}
		kept := ""
		if o.Kept != "" {
			kept = filepath.Join(o.Kept, fmt.Sprint("state-of-seed-", seed))
		}
		all[i] = &player{
			rng: rand.New(rand.NewPCG(seed, uint64(2+i))), reader: &reader{content: known},
			reopen: &reopener{dir: scratch, kept: kept}, quota: statesPoint, every: reopenEvery, share: i, of: players, enough: enough,
		}
		wg.Go(func() { wrong[i] = all[i].play(trace) })
	}
	wg.Wait()
	r.Traces++
	for _, p := range all {
		r.add(&p.count)
	}
	return errors.Join(wrong...)
}
