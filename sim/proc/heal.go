//go:build linux

package proc

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"
)

// How long the end may take once nothing is broken any more. What is due then
// is due within seconds; the rest is look-ups and retries.
const (
	endPatience   = 60 * time.Second
	probePatience = 20 * time.Second
)

// heal demands what a sound world must bring: a text goes out at once, every
// reminder ends, everything acknowledged is there, SIGTERM is obeyed, and the
// store is sound.
func (h *harness) heal(ctx context.Context) error {
	h.logf("healed")
	probes := h.probe(ctx)
	h.await(ctx, probePatience, func(book *auditor) bool {
		for _, c := range probes {
			if book.texts[c.token] == nil {
				return false
			}
		}
		return true
	})
	for began := time.Now(); time.Since(began) < endPatience && !h.allOver(ctx); {
		if !wait(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
	}
	h.logf("everything is over")
	h.look(ctx, h.rng, true)
	for _, p := range h.ledger.everybody() {
		h.result.shown[p] = h.reminders(ctx, p, "")
		for _, r := range h.result.shown[p] {
			h.result.Reminders[r.Status]++
		}
	}
	h.service.signal(syscall.SIGTERM)
	h.endsWith(0, drainTimeout+5*time.Second, "SIGTERM in the end")
	h.check(h.store)
	return nil
}

// probe asks for a text for each of the last people who want everything.
func (h *harness) probe(ctx context.Context) (probes []*claim) {
	a := &actor{h: h, rng: rand.New(rand.NewPCG(h.opt.Seed, 99))}
	for _, p := range h.ledger.everybody() {
		if p.kind != open || p.retired && len(probes) > 0 || !p.complete {
			continue
		}
		a.p, a.keys = p, 1_000_000
		if c := a.remind(ctx, 0); c.acked {
			c.probe = true
			probes = append(probes, c)
		}
	}
	return probes
}

// await reads the carrier's book again and again until ok or too late.
func (h *harness) await(ctx context.Context, patience time.Duration, ok func(*auditor) bool) {
	for began := time.Now(); time.Since(began) < patience; {
		a := newAuditor(h.ledger, func(string, string, ...any) {})
		book, err := readBook(h.bookPath())
		if err != nil {
			return
		}
		if a.judge(book); ok(a) || !wait(ctx, 200*time.Millisecond) {
			return
		}
	}
}

// allOver reports whether every reminder has ended.
func (h *harness) allOver(ctx context.Context) bool {
	for _, status := range []string{"scheduled", "queued", "sending", "uncertain"} {
		for _, p := range h.ledger.everybody() {
			if len(h.reminders(ctx, p, status)) > 0 {
				return false
			}
		}
	}
	return true
}

// audit reads the book and the ledger when everything has stopped.
func (h *harness) audit() error {
	book, err := readBook(h.bookPath())
	if err != nil {
		return err
	}
	a := newAuditor(h.ledger, h.fail)
	a.judge(book)
	for _, p := range h.ledger.everybody() {
		if shown, ok := h.result.shown[p]; ok {
			a.ends(p, shown)
		}
	}
	for _, c := range h.ledger.claims {
		if c.probe && a.texts[c.token] == nil {
			h.fail("progress", "%s for %s: everything had healed, and it did not leave within %v", c.token, c.who.id, probePatience)
		}
	}
	h.result.count(h, a)
	return nil
}
