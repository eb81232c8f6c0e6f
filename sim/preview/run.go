package preview

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"carillon/engine"
)

// Config of Run.
type Config struct {
	Events []engine.CalendarEvent
	Zone   string // the person's
	// Preferences is what the person wants, as a PUT of the user has it.
	Preferences engine.UpdateUser
	From, To    engine.Millis
	Policy      engine.Policy // default: engine.DefaultPolicy
}

// MaxLead is the longest lead time: events that begin so long after To may
// have reminders before it.
const MaxLead = 10080 * 60 * 1000

// maxSteps ends a run that does not come to an end by itself.
const maxSteps = 1_000_000

// phone is possible and nobody's.
const phone = "+4915550100001"

// Run plays the time between From and To.
func Run(c Config) (*Result, error) {
	if c.From >= c.To {
		return nil, errors.New("preview: it ends before it begins")
	}
	loc, err := zone(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	if c.Policy.MaxEvents == 0 {
		c.Policy = engine.DefaultPolicy()
	}
	events := slices.Clone(c.Events)
	slices.SortFunc(events, func(a, b engine.CalendarEvent) int { return cmp.Compare(a.ID, b.ID) }) // as the engine keeps them
	c.Policy.MaxEvents, c.Policy.MaxReminders = max(c.Policy.MaxEvents, len(events)), max(c.Policy.MaxReminders, len(events)*4)
	p := &play{conf: &c, u: &engine.User{ID: "preview"}, now: c.From, ledger: newLedger(&c, loc)}
	create := c.Preferences
	create.Create, create.Replace, create.Zone = true, true, engine.Some(c.Zone)
	if !create.Reminders.Set { // or there would be nothing to preview
		create.Reminders = engine.Some(true)
	}
	for _, cmd := range []engine.Command{
		create,
		engine.AttestPhone{Phone: phone},
		engine.SyncEvents{Start: c.From, End: c.To + MaxLead + 1, Events: events},
	} {
		if refusal, no := p.decide(cmd).(engine.Refusal); no {
			return nil, fmt.Errorf("preview: %s: %s", refusal.Code, refusal.Detail)
		}
	}
	if err := p.run(); err != nil {
		return nil, err
	}
	return p.ledger.result(p.u), nil
}

func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return time.LoadLocation(name)
}

// play is the engine with one person, in virtual time.
type play struct {
	conf   *Config
	u      *engine.User
	now    engine.Millis
	ledger *ledger
	steps  int
	offers []engine.Offer
}

// decide carries out a command and notes what came of it.
func (p *play) decide(cmd engine.Command) engine.Reply {
	p.steps++
	d := engine.Decide(p.u, engine.Env{Now: p.now, Zone: zone, Policy: p.conf.Policy}, cmd)
	for _, e := range d.Events {
		p.ledger.note(p.now, e)
	}
	for _, e := range d.Effects {
		if o, ok := e.(engine.Offer); ok {
			p.offers = append(p.offers, o)
		}
	}
	return d.Reply
}

// run wakes the person whenever the engine asks for it, and lets what is due
// leave.
func (p *play) run() error {
	for {
		p.send()
		next := p.u.NextWake(p.now, &p.conf.Policy)
		if next == 0 || next >= p.conf.To {
			return nil
		}
		if p.steps > maxSteps {
			return fmt.Errorf("preview: more than %d steps", maxSteps)
		}
		p.now = next
		p.decide(engine.Wake{})
	}
}

// send hands over what was offered; a carrier that accepts and delivers at
// once.
func (p *play) send() {
	for len(p.offers) > 0 {
		o := p.offers[0]
		p.offers = p.offers[1:]
		r, ok := p.decide(engine.HandOver{ReminderID: o.ReminderID}).(engine.HandOverReply)
		if !ok || r.Message == nil {
			continue
		}
		p.decide(engine.RecordOutcome{
			MessageID: r.Message.MessageID, Kind: engine.OutcomeAccepted, SID: "SM" + r.Message.MessageID, Status: engine.MessageDelivered,
		})
	}
}
