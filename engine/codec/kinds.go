package codec

import "google.golang.org/protobuf/encoding/protowire"

// The kinds of events: the field numbers of the message Event. They are in
// every journal ever written: add at the end, never renumber. The first
// fifteen take one byte, so they went to the most frequent.
const (
	kindReminderPlanned     protowire.Number = 1
	kindAttemptStarted      protowire.Number = 2
	kindMessageAccepted     protowire.Number = 3
	kindMessageReported     protowire.Number = 4
	kindEventPut            protowire.Number = 5
	kindPlanRan             protowire.Number = 6
	kindReminderMoved       protowire.Number = 7
	kindReminderSkipped     protowire.Number = 8
	kindReminderCanceled    protowire.Number = 9
	kindRetryPlanned        protowire.Number = 10
	kindEventDeleted        protowire.Number = 11
	kindMessageRefused      protowire.Number = 12
	kindKeyUsed             protowire.Number = 13
	kindMessageRecorded     protowire.Number = 14
	kindReminderFailed      protowire.Number = 15
	kindProfileSet          protowire.Number = 16
	kindPhoneSet            protowire.Number = 17
	kindVerificationStarted protowire.Number = 18
	kindConsentChanged      protowire.Number = 19
	kindUserPaused          protowire.Number = 20
	kindUserErased          protowire.Number = 21
	kindCancelAsked         protowire.Number = 22
	kindAttemptUncertain    protowire.Number = 23
	kindLookupDone          protowire.Number = 24
	kindInboundReceived     protowire.Number = 25
	kindFenced              protowire.Number = 26
	kindCommandQuarantined  protowire.Number = 27
	kindTextComposed        protowire.Number = 28
	kindReminderConfirmed   protowire.Number = 29

	kindCalendarConnected    protowire.Number = 30
	kindCalendarDisconnected protowire.Number = 31
	kindCalendarAsked        protowire.Number = 32
	kindCalendarRead         protowire.Number = 33
	kindCalendarFailed       protowire.Number = 34
)
