package crash

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// callFault is what one system call is made to do. No errno: the process is
// killed there.
type callFault struct {
	call, errno string
	upTo        int  // the call of a thread is drawn from 1 to this
	harmless    bool // the process may go on
}

func (f *callFault) name() string {
	if f.errno == "" {
		return f.call + " SIGKILL"
	}
	return f.call + " " + f.errno
}

func (f *callFault) inject(when int) string {
	what := "error=" + f.errno
	switch f.errno {
	case "":
		what = "signal=SIGKILL"
	case "short":
		what = "retval=0"
	}
	if f.call == "fdatasync" && f.errno != "" { // with a delay strace does not kill
		what += ":delay_enter=20000" // µs: an answer that does not wait for the flush is heard
	}
	return fmt.Sprintf("inject=%s:%s:when=%d", f.call, what, when)
}

// callFaults are those that a campaign goes through. A write that EINTR
// interrupts is made again by the library, and nobody notices.
var callFaults = []callFault{
	{call: "pwrite64", errno: "EIO", upTo: 60},
	{call: "pwrite64", errno: "ENOSPC", upTo: 60},
	{call: "pwrite64", errno: "short", upTo: 60},
	{call: "pwrite64", errno: "EINTR", upTo: 30, harmless: true},
	{call: "pwrite64", upTo: 80},
	{call: "fdatasync", errno: "EIO", upTo: 20},
	{call: "fdatasync", errno: "ENOSPC", upTo: 20},
	{call: "fdatasync", upTo: 24},
	{call: "fsync", errno: "EIO", upTo: 6},
	{call: "fsync", upTo: 6},
	{call: "ftruncate", errno: "ENOSPC", upTo: 1},
	{call: "ftruncate", errno: "EFBIG", upTo: 1},
	{call: "ftruncate", upTo: 1},
	{call: "renameat", errno: "EIO", upTo: 4},
	{call: "renameat", errno: "ENOSPC", upTo: 4},
	{call: "renameat", upTo: 4},
	{call: "write", errno: "EIO", upTo: 3},
	{call: "write", errno: "ENOSPC", upTo: 3},
	{call: "write", errno: "short", upTo: 3},
	{call: "write", upTo: 3},
	{call: "openat", errno: "EIO", upTo: 8},
	{call: "openat", upTo: 8},
	{call: "mmap", errno: "ENOMEM", upTo: 3},
}

// ofAppends are the calls of which a write of a caller is made.
var ofAppends = []string{"pwrite64", "fdatasync"}

const (
	faultTrace  = "openat,pwrite64,write,fdatasync,fsync,ftruncate,renameat,unlinkat,mmap"
	faultWrites = 24
)

// rarest is the fault that has come least, counting what was tried in vain a little.
// Of one call only, if it is named.
func (r *CallsReport) rarest(call string) *callFault {
	some := slices.DeleteFunc(slices.Clone(callFaults), func(f callFault) bool { return call != "" && f.call != call })
	f := slices.MinFunc(some, func(a, b callFault) int {
		return cmp.Compare(2*r.Injected[a.name()]+r.tried[a.name()], 2*r.Injected[b.name()]+r.tried[b.name()])
	})
	r.tried[f.name()]++
	return &f
}

// faultRun is one process with one fault in it.
type faultRun struct {
	o    *Options
	f    *callFault
	dir  string
	log  string
	rng  *rand.Rand
	book *ledger
	e    *engine
}

// Calls makes system calls of the real binary fail until the time is over, or
// one run is wrong.
func Calls(ctx context.Context, o Options, d time.Duration) (r CallsReport, err error) {
	if err := straceThere(); err != nil {
		return r, err
	}
	dir, err := workplace()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := o.Now()
	r.Injected, r.tried, r.Told = map[string]int{}, map[string]int{}, map[string]int{}
	rng := rand.New(rand.NewPCG(o.Seed, 3))
	for n := 0; r.Wrong == "" && ctx.Err() == nil && o.Now().Sub(began) < d; n++ {
		run := &faultRun{
			o: &o, f: r.rarest(o.calls), dir: filepath.Join(dir, fmt.Sprint("store-", n%3)),
			log: filepath.Join(dir, "log"), rng: rng, book: newLedger(),
		}
		if n < 3 || rng.IntN(2) == 0 { // else it goes on where a fault has left it
			if err := os.RemoveAll(run.dir); err != nil {
				return r, err
			}
		}
		hit, err := run.run(ctx)
		r.Runs++
		if hit != "" {
			r.Injected[run.f.name()]++
		}
		for what, n := range run.book.refused {
			r.Told[what] += n
		}
		r.Acked += len(run.book.acked)
		if err != nil {
			r.Wrong = fmt.Sprintf("%s, hit %q: %v", run.f.name(), hit, err)
		}
	}
	r.Seconds = o.Now().Sub(began).Seconds()
	return r, nil
}

// run starts the engine with the fault, writes, and judges; hit is the call that
// was made to fail, as strace tells it.
func (run *faultRun) run(ctx context.Context) (hit string, err error) {
	tracer := []string{"strace", "-f", "-y", "-qq", "-e", "signal=none", "-e", "trace=" + faultTrace, "-o", run.log}
	if run.f.errno != "" { // with the filter in the kernel strace 6.1 kills at the first call only
		tracer = append(tracer, "--seccomp-bpf")
	}
	names := []string{"journal.db", "", "STORE", "STORE.new", "journal.db.new", "snapshots.db", "snapshots.db.new"}
	if run.rng.IntN(2) == 0 && slices.Contains(ofAppends, run.f.call) {
		names = names[:1] // else most faults would meet the creation and the snapshots
	}
	for _, name := range names {
		tracer = append(tracer, "-P", filepath.Join(run.dir, name))
	}
	tracer = append(tracer, "-e", run.f.inject(1+run.rng.IntN(run.f.upTo)))
	if run.e, err = engineStart(ctx, tracer, run.o.Carillon, run.dir, run.o.Env...); err != nil {
		return "", err
	}
	defer run.e.kill()
	up, err := run.e.ready(ctx)
	if err != nil {
		return "", err
	}
	if up {
		run.book.work(ctx, run.e, faultWrites, run.o.Now)
	}
	for i := 0; up && i < 8 && !slices.Contains(ofAppends, run.f.call) && !run.e.over(); i++ {
		if err := pause(ctx, 200*time.Millisecond); err != nil { // the keeper comes once a second
			return "", err
		}
		run.book.work(ctx, run.e, 2, run.o.Now)
	}
	hit, err = run.hit()
	if err != nil {
		return hit, err
	}
	if hit == "" || run.f.harmless { // it may come in the stop
		code, err := run.e.stop(ctx)
		if err != nil {
			return hit, err
		}
		if hit, err = run.hit(); err != nil {
			return hit, err
		}
		if code == -1 && run.f.errno == "" {
			return "in the stop", run.after(ctx)
		}
		if code != 0 && (hit == "" || run.f.harmless) {
			return hit, fmt.Errorf("exit code %d: %s", code, run.e.stderr.text())
		}
	}
	if hit != "" && !run.f.harmless {
		if err := run.ended(ctx); err != nil {
			return hit, err
		}
	}
	return hit, run.after(ctx)
}

// hit finds the call that was made to fail, and holds that nothing was written
// to, or flushed of, that file after it.
func (run *faultRun) hit() (string, error) {
	f, err := os.Open(run.log)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var hit, path, last string
	flushes, writes := 0, 0
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		switch {
		case hit != "" && !run.f.harmless && path != "" && changes.MatchString(line) && strings.Contains(line, path):
			return hit, fmt.Errorf("it went on after that: %s", clip(line))
		case strings.Contains(line, "(INJECTED)") && hit == "":
			hit = clip(line)
			if m := fdPath.FindStringSubmatch(line); m != nil && changes.MatchString(line) {
				path = m[1]
			}
		}
		last = line
		if strings.Contains(line, "/journal.db>") {
			switch m := changes.FindStringSubmatch(line); {
			case m == nil:
			case m[1] == "fdatasync":
				flushes++
			default:
				writes++
			}
		}
	}
	if run.f.errno == "" && run.e.gone(300*time.Millisecond) {
		hit = clip(last) // strace has no word for what it has killed
	}
	if hit == "" && len(run.book.acked) > 0 && writes > 4 && flushes < 2 {
		return hit, fmt.Errorf("%d writes were acknowledged, and the journal was flushed %d times", len(run.book.acked), flushes)
	}
	return hit, in.Err()
}

var (
	fdPath  = regexp.MustCompile(`^\d+ +\w+\(\d+(<[^>]+\.db>)`)
	changes = regexp.MustCompile(`^\d+ +(pwrite64|fdatasync)\(`)
)

// ended holds W3: exit code 3, with one line that says what failed.
func (run *faultRun) ended(ctx context.Context) error {
	code, err := run.e.end(ctx, 10*time.Second)
	if err != nil {
		return err
	}
	if run.f.errno == "" {
		if code != -1 {
			return fmt.Errorf("killed, and exit code %d: %s", code, run.e.stderr.text())
		}
		return nil
	}
	text := run.e.stderr.text()
	if code != 3 {
		return fmt.Errorf("exit code %d: %s", code, text)
	}
	told := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "carillon: ") && !strings.HasPrefix(line, "carillon: warning: ") {
			told++
		}
	}
	if told != 1 {
		return fmt.Errorf("exit code 3, and %d lines that say why: %s", told, text)
	}
	return nil
}

// after holds that the store is whole and has what was acknowledged.
func (run *faultRun) after(ctx context.Context) error {
	code, said, err := check(ctx, run.o, run.dir)
	if err != nil {
		return err
	}
	unborn := len(run.book.acked) == 0 && strings.Contains(said, "missing")
	if code != 0 && !unborn {
		return fmt.Errorf("check: %s", said)
	}
	e, err := engineStart(ctx, nil, run.o.Carillon, run.dir, run.o.Env...)
	if err != nil {
		return err
	}
	defer e.kill()
	if up, err := e.ready(ctx); !up || err != nil {
		return errors.Join(fmt.Errorf("it does not start again: %s", e.stderr.text()), err)
	}
	if err := run.book.verify(ctx, e); err != nil {
		return err
	}
	if code, err := e.stop(ctx); code != 0 || err != nil {
		return errors.Join(fmt.Errorf("exit code %d: %s", code, e.stderr.text()), err)
	}
	return nil
}
