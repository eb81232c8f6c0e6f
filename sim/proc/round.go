//go:build linux

package proc

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Rounds are named by what happens to the process.
const (
	roundKill   = "kill"       // SIGKILL at any instruction
	roundBorn   = "kill_start" // SIGKILL while it starts, again and again
	roundStop   = "suspend"    // SIGSTOP for seconds, then SIGCONT
	roundTerm   = "term"       // SIGTERM while everything else is broken
	roundFlee   = "kill_drain" // SIGTERM, and SIGKILL before it is done
	roundDrain  = "drain"      // SIGTERM with hand-overs in flight that will be answered
	roundBackup = "backup"     // a hot backup, restored beside it
	roundSecond = "second"     // a second process on the store
	roundFull   = "disk_full"  // the disk has no room at all
	roundLow    = "disk_low"   // the disk is in its reserve
	roundFile   = "file_limit" // files can't grow any more
	roundFew    = "no_files"   // no descriptor is left for a connection
	roundStarve = "no_memory"  // the kernel kills for want of memory
)

type round struct {
	name string
	play func(*harness, context.Context) error
}

func allRounds() []round {
	return []round{
		{roundKill, (*harness).kill},
		{roundBorn, (*harness).killStarting},
		{roundStop, (*harness).suspend},
		{roundTerm, (*harness).term},
		{roundFlee, (*harness).killDraining},
		{roundDrain, (*harness).drain},
		{roundBackup, (*harness).backup},
		{roundSecond, (*harness).second},
		{roundFull, (*harness).full},
		{roundLow, (*harness).low},
		{roundFile, (*harness).fileLimit},
		{roundFew, (*harness).noFiles},
		{roundStarve, (*harness).starve},
	}
}

// RoundNames are the faults of the process.
func RoundNames() (names []string) {
	for _, r := range allRounds() {
		names = append(names, r.name)
	}
	return names
}

// rounds plays a shuffled deck of them, and goes on as long as there is time.
// A deck has three kills.
func (h *harness) rounds(ctx, until context.Context) error {
	deck := slices.DeleteFunc(allRounds(), func(r round) bool {
		return h.result.Missing[r.name] != "" || len(h.opt.Rounds) > 0 && !slices.Contains(h.opt.Rounds, r.name)
	})
	if h.opt.forget {
		deck = []round{{roundForget, (*harness).forget}}
	}
	if i := slices.IndexFunc(deck, func(r round) bool { return r.name == roundKill }); i >= 0 {
		deck = append(deck, deck[i], deck[i])
	}
	for first := true; first || until.Err() == nil; first = false {
		h.rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		for _, r := range deck {
			if !first && until.Err() != nil {
				break
			}
			wait(ctx, between(h.rng, 200*time.Millisecond, 900*time.Millisecond))
			if err := r.play(h, ctx); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			h.look(ctx, h.rng, false)
			if !h.service.alive() {
				h.fail("ready", "after %s carillon has ended by itself (%s):\n%s", r.name, h.service.how(), h.service.said())
				return errNotReady
			}
		}
	}
	return ctx.Err()
}

func (h *harness) note(class string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.result.Faults[class]++
	h.logf("%s", class)
}

// restart checks the store of a process that has ended, and starts the next
// one.
func (h *harness) restart(ctx context.Context) error {
	h.check(h.store)
	return h.start(ctx)
}

func (h *harness) kill(ctx context.Context) error {
	h.service.end()
	h.note(roundKill)
	return h.restart(ctx)
}

// killStarting kills it before it is ready, or just when it is.
func (h *harness) killStarting(ctx context.Context) error {
	h.service.end()
	for range 3 {
		c, err := spawn(h.opt.Binary, []string{"serve"}, h.environment(h.listen), nil)
		if err != nil {
			return err
		}
		h.service = c
		wait(ctx, between(h.rng, time.Millisecond, 120*time.Millisecond))
		if !c.alive() {
			h.fail("ready", "carillon ends while it starts (%s):\n%s", c.how(), c.said())
		}
		c.end()
		h.note(roundBorn)
	}
	return h.restart(ctx)
}

// killDraining does not let it finish.
func (h *harness) killDraining(ctx context.Context) error {
	h.service.signal(syscall.SIGTERM)
	if !h.service.over(between(h.rng, time.Millisecond, 300*time.Millisecond)) {
		h.note(roundFlee)
	}
	h.service.end()
	return h.restart(ctx)
}

func (h *harness) suspend(ctx context.Context) error {
	h.service.signal(syscall.SIGSTOP)
	wait(ctx, between(h.rng, 500*time.Millisecond, 3*time.Second))
	h.service.signal(syscall.SIGCONT)
	h.note(roundStop)
	return nil
}

// endsWith demands an end with that exit code.
func (h *harness) endsWith(code int, patience time.Duration, why string) {
	if !h.service.over(patience) {
		h.fail("exit_code", "%s: no end within %v:\n%s", why, patience, h.service.said())
		h.service.end()
		return
	}
	if !h.service.exited(code) {
		h.fail("exit_code", "%s: %s, want exit code %d:\n%s", why, h.service.how(), code, h.service.said())
	}
}

func (h *harness) term(ctx context.Context) error {
	h.service.signal(syscall.SIGTERM)
	h.endsWith(0, drainTimeout+5*time.Second, "SIGTERM")
	h.note(roundTerm)
	return h.restart(ctx)
}

// drain sends SIGTERM while the carrier is slow but sound: what it is about to
// answer must be known afterwards.
func (h *harness) drain(ctx context.Context) error {
	h.calm()
	if err := h.carrier.become(ctx, slow); err != nil {
		return err
	}
	wait(ctx, sendTimeout+time.Second) // what was broken before shows itself
	before := h.uncertain(ctx)
	for range 100 {
		if h.carrier.stats(ctx).InFlight > 0 || !wait(ctx, 20*time.Millisecond) {
			break
		}
	}
	flying := h.carrier.stats(ctx).InFlight
	h.service.signal(syscall.SIGTERM)
	h.endsWith(0, drainTimeout+5*time.Second, "SIGTERM with hand-overs in flight")
	if flying > 0 {
		h.note(roundDrain)
	}
	err := h.restart(ctx)
	if err == nil {
		for id, what := range h.uncertain(ctx) {
			if before[id] == "" {
				h.fail("drained", "%s: SIGTERM did not wait for its answer", what)
			}
		}
		err = h.carrier.become(ctx, stormy)
	}
	h.storm(ctx)
	return err
}

// uncertain are the reminders whose answer is lost, of those who are about.
func (h *harness) uncertain(ctx context.Context) map[string]string {
	all := map[string]string{}
	people := h.ledger.everybody()
	for _, p := range people[max(0, len(people)-2*h.opt.Clients):] {
		for _, r := range h.reminders(ctx, p, "uncertain") {
			all[r.ReminderID] = fmt.Sprintf("%s, %s %q", p.id, r.ReminderID, r.Text)
		}
	}
	return all
}

// second starts another process on the store, which must be refused (W5), be
// the first one awake or suspended.
func (h *harness) second(ctx context.Context) error {
	listen, err := freeAddr()
	if err != nil {
		return err
	}
	if h.rng.IntN(2) == 0 {
		h.service.signal(syscall.SIGSTOP)
		defer h.service.signal(syscall.SIGCONT)
		h.note("second_of_suspended")
	}
	c, err := spawn(h.opt.Binary, []string{"serve"}, h.environment(listen), nil)
	if err != nil {
		return err
	}
	if !c.over(10 * time.Second) {
		c.end()
	}
	if said := c.said(); !c.exited(exitStorage) || !strings.Contains(said, "locked by another process") {
		h.fail("second", "a second process on the store: %s, says %q", c.how(), said)
	}
	h.note(roundSecond)
	return ctx.Err()
}

// exitStorage is the exit code for trouble with the disk (SPEC 10).
const exitStorage = 3

// full takes the disk's last byte: the process may refuse or stop, with exit
// code 3, and nothing else (W3).
func (h *harness) full(ctx context.Context) error {
	if err := h.disk.fill(0); err != nil {
		return err
	}
	ended := h.service.over(2 * time.Second)
	h.note(roundFull)
	if ended {
		h.note("disk_full_stop")
		h.endsWith(exitStorage, 0, "no room on the disk")
	}
	h.disk.empty()
	if ended {
		return h.restart(ctx)
	}
	return h.takesWrites(ctx)
}

// low leaves half of the reserve: writes are refused with 507 until there is
// room again.
func (h *harness) low(ctx context.Context) error {
	before := h.tally.full.Load()
	if err := h.disk.fill(reserveBytes / 2); err != nil {
		return err
	}
	defer h.disk.empty()
	for range 500 {
		if h.tally.full.Load() > before {
			h.note(roundLow)
			h.disk.empty()
			return h.takesWrites(ctx)
		}
		if !wait(ctx, 20*time.Millisecond) {
			break
		}
	}
	h.fail("low", "the disk was in its reserve for 10 s, and no write was refused with 507")
	return nil
}

// takesWrites demands that a write is acknowledged soon.
func (h *harness) takesWrites(ctx context.Context) error {
	for range 200 {
		status, _, err := h.back.try(ctx, "PUT", "/v1/users/healthy", map[string]any{"timezone": "UTC"}, "")
		if err == nil && status < 300 {
			return nil
		}
		if !wait(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	h.fail("resumes", "there is room on the disk again for 10 s, and writes are refused:\n%s", h.service.said())
	return nil
}

// fileLimit lets no file grow above what it is: a write fails, and the process
// stops (W3).
func (h *harness) fileLimit(ctx context.Context) error {
	const small = 64 << 10
	if _, err := os.Stat(filepath.Join(h.store, "journal.db")); err != nil {
		return err
	}
	if _, err := setLimit(h.service.cmd.Process.Pid, syscall.RLIMIT_FSIZE, small); err != nil {
		return err
	}
	h.endsWith(exitStorage, 10*time.Second, "a write that fails")
	h.note(roundFile)
	return h.restart(ctx)
}

// noFiles leaves no descriptor for another connection, from here or to the
// carrier. It has to live through that, and to go on.
func (h *harness) noFiles(ctx context.Context) error {
	pid := h.service.cmd.Process.Pid
	was, err := setLimit(pid, syscall.RLIMIT_NOFILE, 3)
	if err != nil {
		return err
	}
	var callers sync.WaitGroup
	for range 4 {
		a := newAPI(h.back.url, h.back.tally)
		callers.Go(func() {
			_, _ = a.read(ctx, "/healthz", nil)
			a.http.CloseIdleConnections()
		})
	}
	callers.Wait()
	wait(ctx, between(h.rng, 100*time.Millisecond, time.Second))
	h.note(roundFew)
	if _, err := setLimit(pid, syscall.RLIMIT_NOFILE, was); err != nil && h.service.alive() {
		return err
	}
	if !h.service.alive() {
		h.fail("no_files", "it ended for want of descriptors (%s):\n%s", h.service.how(), h.service.said())
		return h.restart(ctx)
	}
	return h.takesWrites(ctx)
}

// starve leaves no memory to the process: the kernel kills it.
func (h *harness) starve(ctx context.Context) error {
	m, err := newMemory() // each time: what the disk holds stays on the last one's account
	if err != nil {
		return err
	}
	defer m.remove()
	if err := m.starve(h.service.cmd.Process.Pid); err != nil {
		return err
	}
	if h.service.over(5*time.Second) && m.kills() > 0 {
		h.note(roundStarve)
	}
	h.service.end()
	return h.restart(ctx)
}
