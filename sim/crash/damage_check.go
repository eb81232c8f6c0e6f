package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Checks damages stores of the real binary and gives them to `carillon check`:
// its answer must be the one that it gave before, or exit code 3 with one line
// that names a file. It adds to r.
func Checks(ctx context.Context, o Options, d time.Duration, r *DamageReport) (err error) {
	dir, err := workplace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := o.Now()
	older, now, err := o.served(ctx, filepath.Join(dir, "origin"))
	if err != nil {
		return err
	}
	_, other, err := o.served(ctx, filepath.Join(dir, "other"))
	if err != nil {
		return err
	}
	store := filepath.Join(dir, "damaged")
	if err := now.write(store); err != nil {
		return err
	}
	code, want, err := check(ctx, &o, store)
	if code != 0 || err != nil {
		return errors.Join(fmt.Errorf("check of a store that a kill has left: %s", want), err)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 5))
	for n := 0; r.Wrong == "" && ctx.Err() == nil && o.Now().Sub(began) < d; n++ {
		kind := injuries[n%len(injuries)]
		files := now.copy()
		what := kind.do(rng, files, older, other)
		if err := files.write(store); err != nil {
			return err
		}
		code, said, err := check(ctx, &o, store)
		if err != nil {
			return err
		}
		r.Checked++
		refused := code == 3 && strings.HasPrefix(said, "carillon: wal: ") && !strings.Contains(said, "\n") && namesFile(said)
		if refused {
			r.CheckedRefused++
		}
		same := said == want
		if kind.name == fileMissing && what == "snapshots.db" { // it is made anew while the log reaches back to the first record
			same = snapshots.ReplaceAllString(said, "") == snapshots.ReplaceAllString(want, "")
		}
		if !refused && (code != 0 || !same) {
			r.Wrong = fmt.Sprintf("carillon check, %s, %s: exit code %d: %s", kind.name, what, code, said)
		}
	}
	return nil
}

// snapshots is where a check says how many there are.
var snapshots = regexp.MustCompile(`\d+ snapshots`)

// served lets the real binary make a store: as a stop leaves it, and as a kill
// does some time later.
func (o *Options) served(ctx context.Context, dir string) (stopped, killed storeFiles, err error) {
	book := newLedger()
	for range 2 {
		e, err := engineStart(ctx, nil, o.Carillon, dir, o.Env...)
		if err != nil {
			return nil, nil, err
		}
		defer e.kill()
		if up, err := e.ready(ctx); !up || err != nil {
			return nil, nil, errors.Join(fmt.Errorf("it does not start: %s", e.stderr.text()), err)
		}
		book.work(ctx, e, 60, o.Now)
		if stopped == nil {
			if code, err := e.stop(ctx); code != 0 || err != nil {
				return nil, nil, errors.Join(fmt.Errorf("it does not stop: exit code %d: %s", code, e.stderr.text()), err)
			}
			if stopped, err = readStore(dir); err != nil {
				return nil, nil, err
			}
			continue
		}
		if err := o.moved(ctx, e, book, dir, stopped); err != nil {
			return nil, nil, err
		}
		e.kill()
		killed, err = readStore(dir)
		if err != nil {
			return nil, nil, err
		}
	}
	return stopped, killed, book.bad
}

// moved writes until STORE knows more than it did before: an older file is
// refused if it is older than that.
func (o *Options) moved(ctx context.Context, e *engine, book *ledger, dir string, before storeFiles) error {
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		b, err := os.ReadFile(filepath.Join(dir, "STORE"))
		if err != nil {
			return err
		}
		if !bytes.Equal(b, before["STORE"]) {
			return nil
		}
		if err := pause(limit, 100*time.Millisecond); err != nil {
			return fmt.Errorf("STORE does not move on: %w", err)
		}
		book.work(ctx, e, 2, o.Now)
	}
}

func namesFile(s string) bool {
	for _, name := range storeNames {
		if strings.Contains(s, name) {
			return true
		}
	}
	return false
}
