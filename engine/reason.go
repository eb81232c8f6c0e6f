package engine

// Reason is why a decision fell the way it did. Every skip, cancellation,
// postponement and failure carries one, so that the timeline can answer
// "why did she get this text, and why did he not?".
type Reason uint8

// The closed set of reasons. The numbers are in the journal: add at the end,
// never renumber.
const (
	ReasonNone             Reason = iota
	ReasonRemindersOff            // the user has not switched reminders on
	ReasonNotVerified             // the number was never confirmed
	ReasonNoPhone                 // there is no number
	ReasonOptedOut                // the person said STOP, or the API said so
	ReasonEventCanceled           // sync_status: cancelled
	ReasonEventPending            // sync_status: pending or failed, the calendar has not settled
	ReasonAllDay                  // all-day event and no all_day_at
	ReasonLeadPassed              // the reminder instant was past when the event became known
	ReasonQuietHours              // no useful moment outside quiet hours
	ReasonDailyLimit              // no place left on that local date
	ReasonDeclined                // the person declined the invitation
	ReasonFree                    // the calendar marks the event as free time
	ReasonEventDeleted            // the event is gone
	ReasonEventMoved              // the event starts at another time now
	ReasonEventMovedPast          // moved so that no lead is ahead any more
	ReasonLeadRemoved             // this lead time is not wanted any more
	ReasonStale                   // too late to be useful, or a later lead of the event is due too (P9)
	ReasonByRequest               // cancelled through the API
	ReasonPaused                  // held back by a pause until its deadline
	ReasonAttemptsUsed            // three hand-overs, none accepted
	ReasonRefused                 // the carrier refused, and a retry can't help
	ReasonUndelivered             // accepted, not delivered, and a retry can't help
	ReasonUncertainExpired        // nobody could say by the deadline whether it was accepted
	ReasonDryRun                  // composed and recorded, the carrier is "none"
	ReasonAccepted                // the carrier has it
	ReasonDelivered               // the carrier reports delivery
	ReasonErased                  // the person was erased
	ReasonPreferences             // preferences changed
	ReasonRetry                   // another hand-over is planned
	ReasonSendNow                 // moved forward through the API
	ReasonMidnight                // the day plan
	ReasonCatchUp                 // a day plan that ran late
	ReasonZone                    // the user's zone changed
	ReasonCreated                 // the user is new
	ReasonCrash                   // the process died during the hand-over
	ReasonRestored                // due since the backup that was restored
	ReasonDuplicateText           // the number had this text twice on this day already
	reasonCount
)

var reasonNames = [reasonCount]string{
	"", "reminders_off", "not_verified", "no_phone", "opted_out", "event_cancelled", "event_not_synced", "all_day",
	"lead_passed", "quiet_hours", "daily_limit", "declined", "free", "event_deleted", "event_moved", "event_moved_past",
	"lead_removed", "stale", "cancelled_by_request", "paused", "attempts_used", "refused", "undelivered",
	"uncertain_expired", "dry_run", "accepted", "delivered", "erased", "preferences_changed", "retry", "send_now",
	"midnight", "catch_up", "zone_changed", "created", "crash", "restored", "duplicate_text",
}

// String returns the reason code on the wire; empty for ReasonNone.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "unknown"
}
