package codec

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"carillon/engine"
)

// readEvent reads the event in field n. What an unknown kind means is beyond
// this build, and skipping it would fork the state, so it is an error.
func (c *coder) readEvent(n protowire.Number) engine.Event {
	if !c.item(n) {
		return nil
	}
	kind := c.number
	if kind == noField {
		c.fail("event without a kind")
		return nil
	}
	if !c.item(kind) {
		return nil
	}
	e := c.readKind(kind)
	c.close()
	if c.number != noField {
		c.fail("event of two kinds")
	}
	c.close()
	return e
}

func (c *coder) readKind(kind protowire.Number) engine.Event {
	switch kind {
	case kindReminderPlanned:
		var e engine.ReminderPlanned
		c.reminderPlanned(&e)
		return e
	case kindAttemptStarted:
		var e engine.AttemptStarted
		c.attemptStarted(&e)
		return e
	case kindMessageAccepted:
		var e engine.MessageAccepted
		c.messageAccepted(&e)
		return e
	case kindMessageReported:
		var e engine.MessageReported
		c.messageReported(&e)
		return e
	case kindEventPut:
		var e engine.EventPut
		c.eventPut(&e)
		return e
	case kindPlanRan:
		var e engine.PlanRan
		c.planRan(&e)
		return e
	case kindReminderMoved:
		var e engine.ReminderMoved
		c.reminderMoved(&e)
		return e
	case kindReminderSkipped:
		var e engine.ReminderSkipped
		c.reminderSkipped(&e)
		return e
	case kindReminderCanceled:
		var e engine.ReminderCanceled
		c.reminderCanceled(&e)
		return e
	case kindRetryPlanned:
		var e engine.RetryPlanned
		c.retryPlanned(&e)
		return e
	case kindEventDeleted:
		var e engine.EventDeleted
		c.eventDeleted(&e)
		return e
	case kindMessageRefused:
		var e engine.MessageRefused
		c.messageRefused(&e)
		return e
	case kindKeyUsed:
		var e engine.KeyUsed
		c.keyUsed(&e)
		return e
	case kindMessageRecorded:
		var e engine.MessageRecorded
		c.messageRecorded(&e)
		return e
	case kindReminderFailed:
		var e engine.ReminderFailed
		c.reminderFailed(&e)
		return e
	case kindProfileSet:
		var e engine.ProfileSet
		c.profileSet(&e)
		return e
	case kindPhoneSet:
		var e engine.PhoneSet
		c.phoneSet(&e)
		return e
	case kindVerificationStarted:
		var e engine.VerificationStarted
		c.verificationStarted(&e)
		return e
	case kindConsentChanged:
		var e engine.ConsentChanged
		c.consentChanged(&e)
		return e
	case kindUserPaused:
		var e engine.UserPaused
		c.userPaused(&e)
		return e
	case kindUserErased:
		return engine.UserErased{}
	case kindCancelAsked:
		var e engine.CancelAsked
		c.cancelAsked(&e)
		return e
	case kindAttemptUncertain:
		var e engine.AttemptUncertain
		c.attemptUncertain(&e)
		return e
	case kindLookupDone:
		var e engine.LookupDone
		c.lookupDone(&e)
		return e
	case kindInboundReceived:
		var e engine.InboundReceived
		c.inboundReceived(&e)
		return e
	case kindFenced:
		var e engine.Fenced
		c.fenced(&e)
		return e
	case kindCommandQuarantined:
		var e engine.CommandQuarantined
		c.commandQuarantined(&e)
		return e
	case kindTextComposed:
		var e engine.TextComposed
		c.textComposed(&e)
		return e
	case kindReminderConfirmed:
		var e engine.ReminderConfirmed
		c.reminderConfirmed(&e)
		return e
	case kindCalendarConnected:
		var e engine.CalendarConnected
		c.calendarConnected(&e)
		return e
	case kindCalendarDisconnected:
		var e engine.CalendarDisconnected
		c.calendarDisconnected(&e)
		return e
	case kindCalendarAsked:
		var e engine.CalendarAsked
		c.calendarAsked(&e)
		return e
	case kindCalendarRead:
		var e engine.CalendarRead
		c.calendarRead(&e)
		return e
	case kindCalendarFailed:
		var e engine.CalendarFailed
		c.calendarFailed(&e)
		return e
	default:
		c.failWith(fmt.Errorf("%w: event kind %d in payload version %d", ErrNewer, kind, c.version))
		return nil
	}
}
