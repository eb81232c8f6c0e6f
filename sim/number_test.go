package sim

import (
	"testing"

	"carillon/engine"
)

// TestANumberIsOnePersons: what somebody is told of a number that they ask for fits
// what others have, and ask for.
func TestANumberIsOnePersons(t *testing.T) {
	const phone = "+15550010001"
	taken := engine.Refusal{Code: engine.CodePhoneTaken}
	for name, c := range map[string]struct {
		reply  engine.Reply
		change func(w *world, other *person)
		bad    bool
	}{
		"it is theirs": {reply: engine.UserReply{}},
		"it is theirs, and another one's": {reply: engine.UserReply{}, bad: true, change: func(_ *world, o *person) {
			o.prof.now = &profile{exists: true, phone: phone, verified: true}
		}},
		"another one may have let go of it": {reply: engine.UserReply{}, change: func(_ *world, o *person) {
			o.prof = fact[profile]{&profile{exists: true, phone: phone, verified: true}, &profile{exists: true}}
		}},
		"a code goes out": {reply: engine.VerificationReply{Phone: phone}},
		"a code goes out, and it is another one's": {reply: engine.VerificationReply{Phone: phone}, bad: true, change: func(_ *world, o *person) {
			o.prof.now = &profile{exists: true, phone: phone, verified: true}
		}},
		"a code had gone out before": {reply: engine.VerificationReply{Phone: phone, Repeated: true}, change: func(_ *world, o *person) {
			o.prof.now = &profile{exists: true, phone: phone, verified: true}
		}},
		"it is refused":                                          {reply: taken, bad: true},
		"it is refused for another reason":                       {reply: engine.Refusal{Code: engine.CodeNoVerification}},
		"it is refused, for it is another's":                     {reply: taken, change: func(w *world, o *person) { w.audit.shadow[o.id] = &engine.User{Verified: true, Phone: phone} }},
		"it is refused, and nobody has proved that it is theirs": {reply: taken, bad: true, change: func(w *world, o *person) { w.audit.shadow[o.id] = &engine.User{Phone: phone} }},
		"it was another's when they asked":                       {reply: taken, change: func(w *world, _ *person) { w.audit.freed[phone] = w.now - second }},
		"it was another's before":                                {reply: taken, bad: true, change: func(w *world, _ *person) { w.audit.freed[phone] = w.now - hour }},
		"another one asks for it":                                {reply: taken, change: func(_ *world, o *person) { o.claim = phone }},
		"another one had an answer since":                        {reply: taken, change: func(w *world, o *person) { w.audit.claimed[phone] = claimed{o, w.now - second} }},
		"another one had an answer before":                       {reply: taken, bad: true, change: func(w *world, o *person) { w.audit.claimed[phone] = claimed{o, w.now - hour} }},
		"they had an answer themselves":                          {reply: taken, bad: true, change: func(w *world, _ *person) { w.audit.claimed[phone] = claimed{w.people[0], w.now - second} }},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			o := newPerson(w, 1)
			w.people = append(w.people, o)
			if c.change != nil {
				c.change(w, o)
			}
			w.audit.number(p, phone, w.now-minute, c.reply)
			judged(t, w, c.bad, "number_unique")
		})
	}
}
