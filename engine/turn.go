package engine

import (
	"fmt"
	"slices"
	"time"
)

// turn is one command being carried out. What it emits is applied at once, so
// that each step sees what the one before decided.
type turn struct {
	u      *User
	env    Env
	loc    *time.Location
	events []Event
	work   *Scratch
	fenced Millis // Recover of a restored backup only: when that was made
	unmet  bool   // what is planned now was never planned before
}

// Decide carries out cmd. The events it returns are applied to u when it
// returns; replaying them with Apply on the state before gives the same u.
//
// A command that changes something first makes up for day plans that are due
// (P9), and ends by listing the effects that the state owes.
func Decide(u *User, env Env, cmd Command) Decision {
	t := &turn{u: u, env: env}
	if reply, ok := t.query(cmd); ok {
		return Decision{Reply: reply}
	}
	if reply, ok := t.answered(cmd); ok {
		return Decision{Reply: reply}
	}
	if u.Exists {
		if r, ok := cmd.(Recover); ok {
			t.fence(r)
		}
		t.advance()
	}
	reply := t.change(cmd)
	t.remember(reply)
	d := Decision{Events: t.events, Reply: reply}
	if !t.nothingOwed() {
		d.Effects = t.owed()
	}
	return d
}

// query answers commands that change nothing.
func (t *turn) query(cmd Command) (Reply, bool) {
	switch cmd := cmd.(type) { //nolint:gochecksumtype // the others are change's
	case GetUser:
		return t.getUser(), true
	case GetEvent:
		return t.getEvent(cmd.ID), true
	case GetCalendars:
		return t.getCalendars(cmd.ID), true
	case GetReminder:
		return t.getReminder(cmd.ID), true
	case ListReminders:
		return t.listReminders(cmd), true
	case PreviewPlan:
		return t.previewPlan(cmd.Date), true
	case ReadNotice:
		return t.readNotice(cmd), true
	}
	return nil, false
}

// change carries out a command that may change something.
func (t *turn) change(cmd Command) Reply {
	if c, ok := cmd.(UpdateUser); ok {
		return t.updateUser(c)
	}
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	switch cmd := cmd.(type) { //nolint:gochecksumtype // queries and UpdateUser are done
	case EraseUser:
		return t.erase()
	case AttestPhone:
		return t.attest(cmd.Phone)
	case StartVerification:
		return t.startVerification(cmd.Phone)
	case ConfirmVerification:
		return t.confirmVerification(cmd.Phone)
	case SetConsent:
		return t.setConsent(cmd)
	case PauseUser:
		return t.pause(cmd.Paused)
	case PutEvent:
		return t.putEvent(cmd.Event)
	case DeleteEvent:
		return t.deleteEvent(cmd)
	case SyncEvents:
		return t.syncEvents(cmd)
	case CreateReminder:
		return t.createReminder(cmd)
	case CancelReminder:
		return t.cancelReminder(cmd.ID)
	case SendNow:
		return t.sendNow(cmd.ID)
	case Wake:
		t.expire()
		return Done{}
	case Recover:
		return t.recover()
	case HandOver:
		return t.handOver(cmd.ReminderID)
	case RecordOutcome:
		return t.recordOutcome(cmd)
	case RecordSighting:
		return t.recordSighting(cmd)
	case RecordComposition:
		return t.recordComposition(cmd)
	case ReportDelivery:
		return t.reportDelivery(cmd)
	case ReceiveText:
		return t.receiveText(cmd)
	case ConnectCalendar:
		return t.connectCalendar(cmd)
	case DisconnectCalendar:
		return t.disconnectCalendar(cmd.ID)
	case RefreshCalendar:
		return t.refreshCalendar(cmd)
	case RecordCalendar:
		return t.recordCalendar(cmd)
	case Quarantine:
		t.emit(CommandQuarantined(cmd))
		return Done{}
	}
	panic(fmt.Sprintf("engine: unknown command %T", cmd))
}

func (t *turn) scratch() *Scratch {
	if t.work == nil {
		if t.work = t.env.Scratch; t.work == nil {
			t.work = &Scratch{}
		}
	}
	return t.work
}

func (t *turn) emit(e Event) {
	if t.events == nil {
		t.events = make([]Event, 0, 2) // a calendar's event and its reminder
	}
	t.u.apply(t.env.Now, e, t.unmet)
	t.events = append(t.events, e)
}

func (t *turn) emitAll(events []Event) {
	t.events = slices.Grow(t.events, len(events))
	for _, e := range events {
		t.emit(e)
	}
}

// zone returns the user's zone. It was checked when it was set, so one that
// can't be loaded now is a fault of the machine, never a reason for UTC (T1).
func (t *turn) zone() *time.Location {
	if t.loc == nil {
		loc, err := t.env.Zone(t.u.Zone)
		if err != nil {
			panic(fmt.Sprintf("engine: zone %q of an existing user can't be loaded: %v", t.u.Zone, err))
		}
		t.loc = loc
	}
	return t.loc
}

// Remembered is the reply to a command that was carried out before under env.Key;
// false: it was not, or it is longer ago than keys are remembered. It is for who
// can't let the command through any more: what was carried out is no refusal.
func Remembered(u *User, env Env, cmd Command) (Reply, bool) {
	return (&turn{u: u, env: env}).answered(cmd)
}

// answered looks for a reply to the same Idempotency-Key.
func (t *turn) answered(cmd Command) (Reply, bool) {
	if t.env.Key == "" {
		return nil, false
	}
	k, ok := t.u.usedKey(t.env.Key, t.env.Now)
	if !ok {
		return nil, false
	}
	if k.Hash != t.env.KeyHash {
		return invalid(CodeIdempotencyReused, "Idempotency-Key", "this key was used for another request"), true
	}
	switch cmd := cmd.(type) { //nolint:gochecksumtype // the rest shows the user
	case CreateReminder, CancelReminder, SendNow:
		return t.getReminder(k.Ref), true
	case ConnectCalendar, RefreshCalendar:
		return t.getCalendars(k.Ref), true
	case StartVerification:
		return VerificationReply{Phone: cmd.Phone, Repeated: true}, true
	case SyncEvents:
		return SyncReply{Unchanged: len(cmd.Events)}, true
	}
	return t.getUser(), true
}

func (u *User) usedKey(key string, now Millis) (UsedKey, bool) {
	for _, k := range u.Keys {
		if k.Key == key && k.At >= now-keyLife {
			return k, true
		}
	}
	return UsedKey{}, false
}

// remember keeps the Idempotency-Key of a request that was carried out.
func (t *turn) remember(reply Reply) {
	if _, refused := reply.(Refusal); t.env.Key == "" || refused || !t.u.Exists {
		return
	}
	e := KeyUsed{Key: t.env.Key, Hash: t.env.KeyHash}
	if r, ok := reply.(ReminderReply); ok {
		e.Ref = r.Reminder.ID
	}
	if r, ok := reply.(CalendarReply); ok {
		e.Ref = r.Calendar.ID
	}
	t.emit(e)
}

func notFound(code, detail string) Refusal {
	return Refusal{Kind: RefusedNotFound, Code: code, Detail: detail}
}

func invalid(code, field, detail string) Refusal {
	return Refusal{Kind: RefusedInvalid, Code: code, Field: field, Detail: detail}
}

func conflict(code, detail string) Refusal {
	return Refusal{Kind: RefusedConflict, Code: code, Detail: detail}
}
