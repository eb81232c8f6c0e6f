package bench

import (
	"os"

	"github.com/asynkron/protoactor-go/actor"
)

// bareBurst is a burst with a bare node: the timer's wake, the outbox' turn, the
// last check, the carrier that accepts at once, the outcome. A person's actor has
// three turns of it and the journal two records.
type bareBurst struct {
	node    *bare
	mail    *bareMail // the outbox'
	data    floorData
	waiting []*bareTurn
	head    int
	sending int
	missing int
	ended   chan struct{}
}

// Stages of a hand-over, by whose turn it is.
const (
	bareWoken    = iota // the person's
	bareOffered         // the outbox'
	bareChecking        // the person's
	bareHanded          // the outbox', with the first record flushed
	bareAnswered        // the person's
	bareDone            // the outbox', with the second
)

func floorBurst(o Options) (Result, error) {
	n := or(o.N, 100_000)
	b := &bareBurst{missing: n, ended: make(chan struct{})}
	var err error
	if b.data, err = newFloorData(); err != nil {
		return Result{}, err
	}
	node, dir, err := floor{log: onBolt, handle: b.turn}.start(o, n)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b.node, b.mail = node, node.actor("!outbox", b, node.workers)
	turns := make([]bareTurn, n)
	ids := make([]string, n)
	then := func(r *bareTurn) { b.mail.PostUserMessage(r) }
	for i := range turns {
		turns[i].then, ids[i] = then, userID(i)
	}
	m := Measure()
	for i := range turns {
		node.ask(ids[i], &turns[i])
	}
	<-b.ended
	m.End()
	res := Result{Workload: "floor", N: n, Variant: "burst"}
	res.Finish(m, nil, dir)
	return res, node.stop()
}

// turn is a person's.
func (b *bareBurst) turn(p *barePerson, r *bareTurn) {
	switch r.stage {
	case bareWoken:
		r.stage = bareOffered
		b.mail.PostUserMessage(r)
		return
	case bareChecking:
		r.stage, r.data = bareHanded, b.data.attempt
	case bareAnswered:
		r.stage, r.data = bareDone, b.data.outcome
	}
	bareWrite(p, r)
}

// Receive implements actor.Actor: it is the outbox.
func (b *bareBurst) Receive(ctx actor.Context) {
	r, ok := ctx.Message().(*bareTurn)
	if !ok {
		return
	}
	switch r.stage {
	case bareOffered:
		b.waiting = append(b.waiting, r)
	case bareHanded: // and the carrier accepts
		b.sending--
		r.stage = bareAnswered
		r.of.mail.PostUserMessage(r)
	case bareDone:
		if b.missing--; b.missing == 0 {
			close(b.ended)
		}
	}
	for b.sending < maxSends && b.head < len(b.waiting) {
		next := b.waiting[b.head]
		b.head++
		b.sending++
		next.stage = bareChecking
		next.of.mail.PostUserMessage(next)
	}
}
