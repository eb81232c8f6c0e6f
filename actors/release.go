package actors

import "carillon/engine"

// releaseAll lets go of a flushed batch: replies to their callers, effects to
// the outbox, wakes to the timer, each kind in one message.
func (n *Node) releaseAll(batch []*release) {
	var effects []engine.Effect
	var arms []arm
	var snapshots []*snapshot
	n.pokeHerald()        // before anybody can hear that it is done, a stop among them
	n.dirty.addAll(batch) // first, so that a round that begins behind them finds them all
	for _, r := range batch {
		seen := n.metrics.observe(r.events, r.at)
		n.metrics.told(r.told)
		if seen.erased {
			n.send(n.keeper, erase{r.entry.Stream, r.seq})
		}
		n.faults(r.told)
		if seen.planned {
			n.view.lastPlan.Store(r.at)
		}
		effects = append(effects, r.effects...)
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
	n.finish(r)
	var arms []arm
	if r.arm != nil {
		arms = []arm{{r.arm, r.wake}}
	}
	n.pass(r.effects, arms)
}

func (n *Node) finish(r *release) {
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

// pass gives compositions to the composer, calendars to their reader, and every
// other effect to the outbox.
func (n *Node) pass(effects []engine.Effect, arms []arm) {
	var texts, reads []engine.Effect
	for _, e := range effects {
		switch e.(type) { //nolint:gochecksumtype // the others are the outbox's
		case engine.Compose:
			texts = append(texts, e)
		case engine.ReadCalendar:
			reads = append(reads, e)
		}
	}
	if len(texts) > 0 && n.composer != nil {
		n.send(n.composer, texts)
	}
	if len(reads) > 0 && n.calendars != nil {
		n.send(n.calendars, reads)
	}
	if len(texts)+len(reads) == len(effects) {
		effects = nil
	}
	if len(arms) > 0 {
		n.send(n.timer, arms)
	}
	if len(effects) > 0 {
		n.send(n.outbox, effects)
	}
}
