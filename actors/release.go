package actors

import "carillon/engine"

// releaseAll lets go of a flushed batch: replies to their callers, effects to
// the outbox, wakes to the timer, each kind in one message.
func (n *Node) releaseAll(batch []*release) {
	effects, arms := room(batch)
	var snapshots []*snapshot
	n.pokeHerald()        // before anybody can hear that it is done, a stop among them
	n.dirty.addAll(batch) // first, so that a round that begins behind them finds them all
	for _, r := range batch {
		seen := n.metrics.observe(r.events, r.at)
		n.metrics.told(r.told)
		if seen.erased {
			n.erase(erase{r.entry.Stream, r.seq})
		}
		n.faults(r.told)
		if seen.planned {
			n.view.lastPlan.Store(r.at)
		}
		n.passReads(r)
		effects = appendOwed(effects, r)
		if r.arm != nil {
			arms = append(arms, arm{r.arm, r.wake})
		}
		if r.snapshot != nil {
			snapshots = append(snapshots, r.snapshot)
		}
		n.finish(r)
	}
	n.pass(effects, arms)
	if len(snapshots) > 0 {
		n.send(n.keeper, snapshots)
	}
}

// release lets go of what owes nothing to the disk.
func (n *Node) release(r *release) {
	n.passReads(r)
	n.finish(r)
	if len(r.effects) == 1 && r.arm != nil {
		if _, ok := r.effects[0].(engine.Offer); ok { // as most wakes end: no lists for it
			n.send(n.timer, arm{r.arm, r.wake})
			n.send(n.outbox, owed{r.effects[0], r.of})
			return
		}
	}
	var arms []arm
	if r.arm != nil {
		arms = []arm{{r.arm, r.wake}}
	}
	n.pass(appendOwed(nil, r), arms)
}

func (n *Node) finish(r *release) {
	if r.rest != nil { // before it counts as flushed: who looks then must find the record
		r.rest.unflushed.Store(nil)
	}
	if r.unflushed != nil {
		r.unflushed.Add(-1)
	}
	r.tell(r.reply, nil)
	if r.after != nil {
		r.after()
	}
}

// tell answers whoever waits.
func (r *release) tell(reply engine.Reply, err error) {
	if r.request != nil {
		r.request.answer(reply, err)
	}
	if r.deliver != nil {
		r.deliver(reply, err)
	}
}

// owed is an effect, and the entry of the user who owes it.
type owed struct {
	engine.Effect
	to *entry
}

// room makes the lists of what a batch releases, as long as they get.
func room(batch []*release) (effects []owed, arms []arm) {
	owes, wakes := 0, 0
	for _, r := range batch {
		owes += len(r.effects)
		if r.arm != nil {
			wakes++
		}
	}
	if owes > 0 {
		effects = make([]owed, 0, owes)
	}
	if wakes > 0 {
		arms = make([]arm, 0, wakes)
	}
	return effects, arms
}

func appendOwed(effects []owed, r *release) []owed {
	for _, e := range r.effects {
		if _, ok := e.(engine.ReadCalendar); !ok { // passReads has those
			effects = append(effects, owed{e, r.of})
		}
	}
	return effects
}

// passReads gives calendars to their reader, before it can hear that one of them was
// recorded by a later decision of this batch: else that is read once more, which its
// source may have asked not to be.
func (n *Node) passReads(r *release) {
	if n.calendars == nil {
		return
	}
	var reads []engine.Effect
	for _, e := range r.effects {
		if _, ok := e.(engine.ReadCalendar); ok {
			reads = append(reads, e)
		}
	}
	if len(reads) > 0 {
		n.send(n.calendars, reads)
	}
}

// pass gives compositions to the composer and every other effect to the outbox.
func (n *Node) pass(effects []owed, arms []arm) {
	var texts []engine.Effect
	for _, e := range effects {
		if _, ok := e.Effect.(engine.Compose); ok {
			texts = append(texts, e.Effect)
		}
	}
	if len(texts) > 0 && n.composer != nil {
		n.send(n.composer, texts)
	}
	if len(texts) == len(effects) {
		effects = nil
	}
	if len(arms) > 0 {
		n.send(n.timer, arms)
	}
	if len(effects) > 0 {
		n.send(n.outbox, effects)
	}
}
