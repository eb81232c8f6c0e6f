package bench

import (
	"errors"
	"fmt"
	"time"

	"carillon/engine"
	"carillon/engine/codec"
)

// floorData is what the engine writes for one person, made once: the floors write
// as many bytes, and decide nothing.
type floorData struct {
	put              []byte // an event and its reminder
	attempt, outcome []byte // the two records of a hand-over
	person           *engine.User
	sync             []byte         // the record that this person rests on
	plan             []engine.Event // of their midnight
}

func newFloorData() (d floorData, err error) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p := newOne(at)
	d.put = p.record(event("e0", at.Add(time.Hour)))
	p.decide(engine.CreateReminder{Text: burstText, SendAt: at.Add(time.Minute).UnixMilli(), Priority: engine.PriorityNormal})
	p.env.Now += time.Minute.Milliseconds()
	custom := p.u.Reminders[len(p.u.Reminders)-1]
	d.attempt = p.record(engine.HandOver{ReminderID: custom.ID})
	if p.err == nil {
		m := custom.Messages[0].ID
		d.outcome = p.record(engine.RecordOutcome{MessageID: m, Kind: engine.OutcomeAccepted, SID: sid(m), Status: engine.MessageQueued})
	}
	q := newOne(at)
	midnight := at.Truncate(24 * time.Hour).Add(24 * time.Hour)
	d.sync = q.record(fiveEvents(midnight))
	text := codec.AppendUser(nil, q.u)
	q.env.Now = midnight.UnixMilli()
	d.plan = q.decide(engine.Wake{})
	if err := errors.Join(p.err, q.err); err != nil {
		return d, fmt.Errorf("bench: what the floors write: %w", err)
	}
	d.person, err = codec.DecodeUser(codec.Version, text)
	return d, err
}

// one is a person without an actor.
type one struct {
	u   *engine.User
	env engine.Env
	err error
}

func newOne(at time.Time) *one {
	p := &one{u: &engine.User{ID: userID(0)}, env: engine.Env{Now: at.UnixMilli(), Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}}
	p.decide(engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{}), DailyLimit: engine.Some(int32(100))})
	p.decide(engine.AttestPhone{Phone: "+4915000000000"})
	return p
}

// decide is a decision that must come to something.
func (p *one) decide(cmd engine.Command) []engine.Event {
	if p.err != nil {
		return nil
	}
	d := engine.Decide(p.u, p.env, cmd)
	if len(d.Events) == 0 {
		p.err = fmt.Errorf("%T: nothing was decided, %+v", cmd, d.Reply)
	}
	return d.Events
}

func (p *one) record(cmd engine.Command) []byte {
	first := p.u.EventSeq + 1
	return codec.AppendRecord(nil, first, p.decide(cmd))
}
