package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
)

// directory is the actor that keeps numbers unique: a number is verified for
// one user at a time (N2). Commands that would verify one pass through it, one
// at a time for each number.
type directory struct {
	node   *Node
	claims map[string]string // numbers that are being verified, and for whom
	starts map[string][]engine.Millis
	pruned engine.Millis
}

// The directory's messages.
type (
	// claim is a request that needs a number to be free, or its user's own.
	claim struct {
		userID, phone string
		request       *request
	}
	// unclaim: the claim's request is done.
	unclaim struct {
		phone string
		taken bool // a verification start that counts
	}
)

func newDirectory(n *Node) *directory {
	return &directory{node: n, claims: map[string]string{}, starts: map[string][]engine.Millis{}}
}

// claims returns the number that a command needs for its user.
func claims(cmd engine.Command) (phone string, ok bool) {
	switch cmd := cmd.(type) { //nolint:gochecksumtype // the others claim none
	case engine.AttestPhone:
		return cmd.Phone, true
	case engine.StartVerification:
		return cmd.Phone, true
	case engine.ConfirmVerification:
		return cmd.Phone, true
	}
	return "", false
}

// Receive implements actor.Actor.
func (d *directory) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case claim:
		if refusal := d.refuse(m); refusal != nil {
			d.decline(m, refusal)
			return
		}
		d.pass(ctx.Self(), m)
	case unclaim:
		delete(d.claims, m.phone)
		if m.taken {
			d.starts[m.phone] = append(d.starts[m.phone], d.node.cfg.Clock.Now())
		}
	}
}

// pass lets the request through and holds the number until it is done.
func (d *directory) pass(self *actor.PID, m claim) {
	d.claims[m.phone] = m.userID
	_, start := m.request.cmd.(engine.StartVerification)
	first := *m.request
	m.request.among, m.request.deliver = nil, func(reply engine.Reply, err error) {
		v, ok := reply.(engine.VerificationReply)
		d.node.send(self, unclaim{phone: m.phone, taken: start && ok && !v.Repeated})
		first.tell(reply, err)
	}
	d.node.toUser(m.userID, m.request)
}

// refuse says why a claim can't be let through.
func (d *directory) refuse(m claim) *engine.Refusal {
	if holder, busy := d.claims[m.phone]; busy {
		if holder != m.userID {
			return taken()
		}
		return &engine.Refusal{
			Kind: engine.RefusedConflict, Code: engine.CodePhoneTaken, Field: "phone_number",
			Detail: "another request about this number is under way",
		}
	}
	owner, ok, err := d.node.cfg.Log.IndexGet(spacePhone, []byte(m.phone))
	if err != nil {
		d.node.fatal(err)
	}
	if ok && string(owner) != m.userID {
		return taken()
	}
	if _, start := m.request.cmd.(engine.StartVerification); start {
		return d.tooMany(m.phone)
	}
	return nil
}

// decline refuses a claim, unless it was let through and carried out before: that
// its user knows, by its key.
func (d *directory) decline(m claim, refusal *engine.Refusal) {
	if m.request.key == "" || d.node.stranger(m.userID) {
		m.request.answer(*refusal, nil)
		return
	}
	m.request.refusal = refusal
	d.node.toUser(m.userID, m.request)
}

func taken() *engine.Refusal {
	return &engine.Refusal{
		Kind: engine.RefusedConflict, Code: engine.CodePhoneTaken, Field: "phone_number",
		Detail: "the number is verified for another user",
	}
}

// Limits of verification starts per number (N2). The count per user is in the
// user's state; this one, against many users who ask for one number, is kept
// in memory and begins anew with the process.
const (
	maxStarts     = 5
	hourMillis    = engine.Millis(3_600_000)
	tooManyDetail = "5 verifications per hour and number"
)

func (d *directory) tooMany(phone string) *engine.Refusal {
	now := d.node.cfg.Clock.Now()
	d.prune(now)
	live := since(d.starts[phone], now-hourMillis)
	if len(live) < maxStarts {
		return nil
	}
	return &engine.Refusal{
		Kind: engine.RefusedTooMany, Code: engine.CodeRateLimited, Field: "phone_number", Detail: tooManyDetail,
		RetryAfter: live[len(live)-maxStarts] + hourMillis - now,
	}
}

// prune forgets, once an hour, the numbers whose starts are too old to count.
func (d *directory) prune(now engine.Millis) {
	if now-d.pruned < hourMillis {
		return
	}
	d.pruned = now
	for phone, starts := range d.starts {
		if live := since(starts, now-hourMillis); len(live) > 0 {
			d.starts[phone] = live
		} else {
			delete(d.starts, phone)
		}
	}
}

func since(starts []engine.Millis, from engine.Millis) []engine.Millis {
	for len(starts) > 0 && starts[0] <= from {
		starts = starts[1:]
	}
	return starts
}
