package sim

import (
	"errors"
	"fmt"

	"carillon/actors"
	"carillon/engine"
)

// writer sends one person's commands of one kind, one at a time: it repeats a
// command until it has an answer, with the same Idempotency-Key.
type writer struct {
	p      *person
	name   string
	every  engine.Millis // between two commands, in the mean
	choose func() *op    // nil: nothing to do now
	cur    *op
	ticket int // of the turn that is planned; an older one is void
}

// op is one command and what its answer means for the model.
type op struct {
	cmd   engine.Command
	keyed bool
	once  bool // is never carried twice by accident
	key   string
	tries int // answers that were lost
	full  int // times that there was no room on the disk
	// wall is the clock when it was carried out, at the earliest: a key is
	// remembered from then on.
	wall engine.Millis
	// refused: nobody expects it any more. A copy that is still on its way may be
	// taken, by a clock that has gone back, and is not carried.
	refused bool
	// begin notes that the command may be carried out from now on, settle that
	// it was, or (refused) that it was not.
	begin  func()
	settle func(reply engine.Reply, refused bool)
}

// later lets the writer go on.
func (c *writer) later() {
	every := c.every
	if (c.name == "profile" && c.p.silent()) || (c.name == "consent" && c.p.out != optedIn) {
		every = min(every, 2*hour)
	}
	c.soon(c.p.w.d.about(every))
}

// soon plans the writer's next turn in place of the one that is planned.
func (c *writer) soon(in engine.Millis) {
	c.ticket++
	mine := c.ticket
	c.p.w.after(in, func() {
		if c.ticket == mine {
			c.next()
		}
	})
}

func (c *writer) next() {
	w := c.p.w
	if w.ended || c.cur != nil {
		return
	}
	if (c.p.hold && c.name != "profile") || w.proc == nil {
		c.soon(minute)
		return
	}
	o := c.choose()
	if o == nil {
		c.later()
		return
	}
	c.run(o)
}

func (c *writer) run(o *op) {
	if o.keyed {
		c.p.keys++
		o.key = fmt.Sprintf("%s-%d", c.p.id, c.p.keys)
	}
	c.cur, o.wall = o, c.p.w.wall()
	c.p.asked++
	o.begin()
	c.p.watch(0)
	c.try()
}

// try sends the command, once more if need be.
func (c *writer) try() {
	o, w := c.cur, c.p.w
	w.ask(c.p.id, o.cmd, o.key, hashOf(o.key), func(reply engine.Reply, err error) { c.answered(o, reply, err) })
	if o.keyed && !o.once && w.faults.hit(RepeatCommand, 0.18) {
		c.p.repeatLater(o, minute)
	}
}

// repeatLater carries it a second time, unless the person or the engine's
// memory of the first time is gone by then, or it was refused.
func (p *person) repeatLater(o *op, mean engine.Millis) {
	life, restored := p.life, p.w.restored
	p.w.after(p.w.d.about(mean), func() {
		if p.life == life && p.w.restored == restored && !o.refused {
			p.repeat(o)
		}
	})
}

// repeat carries a request a second time, by accident: nobody reads the answer.
func (p *person) repeat(o *op) {
	w, life, restored := p.w, p.life, p.w.restored
	w.ask(p.id, o.cmd, o.key, hashOf(o.key), func(reply engine.Reply, err error) {
		w.digest.reply(p.id, reply, err)
		if _, text := o.cmd.(engine.ReceiveText); text && w.wall()-o.wall > keyLife && p.life == life && w.restored == restored {
			p.out = perhapsOut // the machine slept on it, and what came before is rightly forgotten
		}
	})
}

// keyLife is how long an Idempotency-Key, or a text's sid, is remembered.
const keyLife = 24 * hour

func (c *writer) answered(o *op, reply engine.Reply, err error) {
	w := c.p.w
	w.digest.reply(c.p.id, reply, err)
	if c.cur != o {
		return // a restore has taken it back
	}
	switch {
	case err == nil:
	case errors.Is(err, errLost), errors.Is(err, actors.ErrUnknownOutcome):
		o.tries++
		w.after(w.d.between(500, 60_000), c.again(o))
		return
	case errors.Is(err, errDown), errors.Is(err, actors.ErrRecovering), errors.Is(err, actors.ErrOverloaded):
		w.after(w.d.between(500, 60_000), c.again(o))
		return
	case errors.Is(err, actors.ErrNoSpace): // it says when to come again; who hears it again waits longer
		wait := noSpaceWait << min(o.full, 3)
		o.full++
		w.after(w.d.between(wait/2, wait), c.again(o))
		return
	default:
		w.audit.fail("internal_error", c.p, "%T: %v", o.cmd, err)
		w.after(minute, c.again(o))
		return
	}
	refusal, refused := reply.(engine.Refusal)
	if refused && refusal.Kind == engine.RefusedTooMany {
		w.after(refusal.RetryAfter+second, c.again(o))
		return
	}
	c.cur, o.refused, o.wall = nil, refused, min(o.wall, w.wall())
	ticket := c.ticket
	if c.name == "profile" || c.name == "consent" {
		c.p.swayed = w.now
	}
	o.settle(reply, refused)
	if c.cur == nil && c.ticket == ticket {
		c.later()
	}
}

// noSpaceWait is the first wait for room on a disk, at most.
const noSpaceWait = minute

func (c *writer) again(o *op) func() {
	return func() {
		if c.cur == o {
			c.try()
		}
	}
}

func hashOf(key string) uint64 { return uint64(len(key)) }

// change is an op that moves a fact to a next value.
func change[T any](f *fact[T], next T, cmd engine.Command) *op {
	return &op{
		cmd:   cmd,
		begin: func() { f.next = &next },
		settle: func(_ engine.Reply, refused bool) {
			if !refused {
				f.now = f.next
			}
			f.next = nil
		},
	}
}
