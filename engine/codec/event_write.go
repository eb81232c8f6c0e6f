package codec

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"carillon/engine"
)

// writeEvent writes an event in field n: a message with one field, whose
// number is the kind. An event that no case knows is a mistake in this
// package that its tests find; a journal without it would be worse than a
// panic.
func (c *coder) writeEvent(n protowire.Number, e engine.Event) {
	c.item(n)
	switch e := e.(type) {
	case engine.ReminderPlanned:
		c.item(kindReminderPlanned)
		c.reminderPlanned(&e)
	case engine.AttemptStarted:
		c.item(kindAttemptStarted)
		c.attemptStarted(&e)
	case engine.MessageAccepted:
		c.item(kindMessageAccepted)
		c.messageAccepted(&e)
	case engine.MessageReported:
		c.item(kindMessageReported)
		c.messageReported(&e)
	case engine.EventPut:
		c.item(kindEventPut)
		c.eventPut(&e)
	case engine.PlanRan:
		c.item(kindPlanRan)
		c.planRan(&e)
	case engine.ReminderMoved:
		c.item(kindReminderMoved)
		c.reminderMoved(&e)
	case engine.ReminderSkipped:
		c.item(kindReminderSkipped)
		c.reminderSkipped(&e)
	case engine.ReminderCanceled:
		c.item(kindReminderCanceled)
		c.reminderCanceled(&e)
	case engine.RetryPlanned:
		c.item(kindRetryPlanned)
		c.retryPlanned(&e)
	case engine.EventDeleted:
		c.item(kindEventDeleted)
		c.eventDeleted(&e)
	case engine.MessageRefused:
		c.item(kindMessageRefused)
		c.messageRefused(&e)
	case engine.KeyUsed:
		c.item(kindKeyUsed)
		c.keyUsed(&e)
	case engine.MessageRecorded:
		c.item(kindMessageRecorded)
		c.messageRecorded(&e)
	case engine.ReminderFailed:
		c.item(kindReminderFailed)
		c.reminderFailed(&e)
	case engine.ProfileSet:
		c.item(kindProfileSet)
		c.profileSet(&e)
	case engine.PhoneSet:
		c.item(kindPhoneSet)
		c.phoneSet(&e)
	case engine.VerificationStarted:
		c.item(kindVerificationStarted)
		c.verificationStarted(&e)
	case engine.ConsentChanged:
		c.item(kindConsentChanged)
		c.consentChanged(&e)
	case engine.UserPaused:
		c.item(kindUserPaused)
		c.userPaused(&e)
	case engine.UserErased:
		c.item(kindUserErased)
	case engine.CancelAsked:
		c.item(kindCancelAsked)
		c.cancelAsked(&e)
	case engine.AttemptUncertain:
		c.item(kindAttemptUncertain)
		c.attemptUncertain(&e)
	case engine.LookupDone:
		c.item(kindLookupDone)
		c.lookupDone(&e)
	case engine.InboundReceived:
		c.item(kindInboundReceived)
		c.inboundReceived(&e)
	case engine.Fenced:
		c.item(kindFenced)
		c.fenced(&e)
	case engine.CommandQuarantined:
		c.item(kindCommandQuarantined)
		c.commandQuarantined(&e)
	case engine.TextComposed:
		c.item(kindTextComposed)
		c.textComposed(&e)
	case engine.ReminderConfirmed:
		c.item(kindReminderConfirmed)
		c.reminderConfirmed(&e)
	case engine.CalendarConnected:
		c.item(kindCalendarConnected)
		c.calendarConnected(&e)
	case engine.CalendarDisconnected:
		c.item(kindCalendarDisconnected)
		c.calendarDisconnected(&e)
	case engine.CalendarAsked:
		c.item(kindCalendarAsked)
		c.calendarAsked(&e)
	case engine.CalendarRead:
		c.item(kindCalendarRead)
		c.calendarRead(&e)
	case engine.CalendarFailed:
		c.item(kindCalendarFailed)
		c.calendarFailed(&e)
	default:
		panic(fmt.Sprintf("codec: no kind for event %T", e))
	}
	c.close()
	c.close()
}
