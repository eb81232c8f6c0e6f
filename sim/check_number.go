package sim

import "carillon/engine"

// claimed is a request for a number that has its answer.
type claimed struct {
	by *person
	at engine.Millis // true time
}

// number is N2: nobody is told that a number is theirs, or is to be by a code that
// goes out to it, while another one has it; and nobody is refused one that nobody
// else has, or has asked for, since they asked.
func (a *audit) number(p *person, phone string, since engine.Millis, reply engine.Reply) {
	switch r := reply.(type) { //nolint:gochecksumtype // the others say that it was done
	case engine.Refusal:
		if r.Code == engine.CodePhoneTaken {
			a.refused(p, phone, since)
		}
		return
	case engine.VerificationReply:
		if r.Repeated {
			return // the code went out when it was asked for first
		}
	}
	for _, o := range a.w.people {
		if q := o.prof.settled(); o != p && q != nil && q.exists && q.verified && q.phone == phone {
			a.fail("number_unique", p, "%s is verified for %s too (N2)", phone, o.id)
		}
	}
}

func (a *audit) refused(p *person, phone string, since engine.Millis) {
	if last := a.claimed[phone]; a.freed[phone] >= since || last.by != p && last.at >= since {
		return
	}
	for _, o := range a.w.people {
		if u := a.shadow[o.id]; o != p && (o.claim == phone || u != nil && u.Verified && u.Phone == phone) {
			return
		}
	}
	a.fail("number_unique", p, "%s is refused, and nobody else has it (N2)", phone)
}
