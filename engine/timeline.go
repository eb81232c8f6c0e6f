package engine

// TimelineEntry is one decision as shown to people. Seq numbers the user's
// events densely from 1.
type TimelineEntry struct {
	Seq        uint64
	At         Millis
	Kind       string
	Reason     Reason
	EventID    string
	ReminderID string
	MessageID  string
	Detail     []Field // in a fixed order
}

// Field is one detail of a timeline entry: a string, an int64, a bool, or an
// Instant.
type Field struct {
	Name  string
	Value any
}

// Instant marks a detail that is a point in time, Unix milliseconds.
type Instant int64

// Describe returns the timeline entry of an event; Seq and At are the
// caller's to fill in.
func Describe(e Event) TimelineEntry {
	if d, ok := describeMessage(e); ok {
		return d
	}
	switch e := e.(type) { //nolint:gochecksumtype // messages' events are described above
	case ProfileSet:
		kind := "user_updated"
		if e.Created {
			kind = "user_created"
		}
		return TimelineEntry{Kind: kind, Detail: []Field{{"timezone", e.Zone}, {"event_reminders_enabled", e.Prefs.Reminders}, {"daily_limit", int64(e.Prefs.DailyLimit)}}}
	case PhoneSet:
		return TimelineEntry{Kind: "phone_set", Detail: []Field{{"by", e.By}, {"verified", e.Verified}, {"pending", e.Pending != ""}}}
	case VerificationStarted:
		return TimelineEntry{Kind: "verification_started"}
	case ConsentChanged:
		kind := "opted_in"
		if e.OptedOut {
			kind = "opted_out"
		}
		return TimelineEntry{Kind: kind, Detail: []Field{{"by", e.By}, {"text", e.Text}}}
	case UserPaused:
		if e.Paused {
			return TimelineEntry{Kind: "user_paused"}
		}
		return TimelineEntry{Kind: "user_resumed"}
	case UserErased:
		return TimelineEntry{Kind: "user_erased", Reason: ReasonErased}
	case PlanRan:
		return describePlan(e)
	case EventPut:
		return TimelineEntry{Kind: "event_put", EventID: e.Event.ID, Detail: eventFields(*e.Event)}
	case EventDeleted:
		return TimelineEntry{Kind: "event_deleted", EventID: e.ID}
	case InboundReceived:
		return TimelineEntry{Kind: "text_received", Detail: []Field{{"keyword", e.Keyword}, {"text", e.Text}}}
	case KeyUsed:
		return TimelineEntry{Kind: "request_remembered"}
	case Fenced:
		return TimelineEntry{Kind: "restore_fenced", Reason: ReasonRestored, Detail: []Field{{"backup_at", Instant(e.BackupAt)}}}
	case CalendarConnected, CalendarDisconnected, CalendarAsked, CalendarRead, CalendarFailed:
		return describeCalendar(e)
	case CommandQuarantined:
		return TimelineEntry{Kind: "command_quarantined", Detail: []Field{{"command", e.Command}, {"cause", e.Cause}}}
	}
	return describeReminder(e)
}

func describeReminder(e Event) TimelineEntry {
	switch e := e.(type) { //nolint:gochecksumtype // Describe sends only these here
	case ReminderPlanned:
		r := e.Reminder
		d := TimelineEntry{
			Kind: "reminder_scheduled", EventID: r.EventID, ReminderID: r.ID,
			Detail: []Field{{"scheduled_for", Instant(r.Due)}, {"lead_minutes", int64(r.Lead)}, {"deadline", Instant(r.Deadline)}},
		}
		if r.SnoozeOf != "" {
			d.Detail = append(d.Detail, Field{"snooze_of", r.SnoozeOf})
		}
		return d
	case ReminderMoved:
		kind := "reminder_moved"
		if e.Reason == ReasonNone {
			kind = "reminder_updated"
		}
		return TimelineEntry{Kind: kind, Reason: e.Reason, ReminderID: e.ID, Detail: []Field{{"scheduled_for", Instant(e.Due)}}}
	case ReminderSkipped:
		return TimelineEntry{
			Kind: "reminder_skipped", Reason: e.Reason, EventID: e.EventID,
			Detail: []Field{{"lead_minutes", int64(e.Lead)}, {"would_have_been", Instant(e.At)}},
		}
	case ReminderCanceled:
		return TimelineEntry{Kind: "reminder_cancelled", Reason: e.Reason, ReminderID: e.ID}
	case CancelAsked:
		return TimelineEntry{Kind: "cancel_asked", Reason: e.Reason, ReminderID: e.ID}
	case TextComposed:
		return describeComposed(e)
	case RetryPlanned:
		return TimelineEntry{Kind: "retry_planned", Reason: ReasonRetry, ReminderID: e.ID, Detail: []Field{{"at", Instant(e.At)}}}
	case ReminderConfirmed:
		return TimelineEntry{Kind: "reminder_confirmed", ReminderID: e.ID, Detail: []Field{{"by", e.By}}}
	case ReminderFailed:
		return TimelineEntry{Kind: "reminder_failed", Reason: e.Reason, ReminderID: e.ID}
	}
	return TimelineEntry{Kind: "unknown"}
}

func describeMessage(e Event) (TimelineEntry, bool) {
	switch e := e.(type) { //nolint:gochecksumtype // only messages' events
	case AttemptStarted:
		d := []Field{{"text", e.Text}, {"encoding", e.Encoding.String()}, {"segments", int64(e.Segments)}, {"valid_until", Instant(e.ValidUntil)}, {"assumed", e.Assumed}}
		if e.Sender != "" {
			d = append(d, Field{"sender", e.Sender})
		}
		return TimelineEntry{Kind: "hand_over_started", ReminderID: e.ID, MessageID: e.MessageID, Detail: d}, true
	case MessageAccepted:
		return TimelineEntry{
			Kind: "message_accepted", Reason: ReasonAccepted, ReminderID: e.ID, MessageID: e.MessageID,
			Detail: []Field{{"sid", e.SID}, {"status", e.Status.String()}, {"by", e.By}},
		}, true
	case MessageRefused:
		if e.NotMade {
			return TimelineEntry{Kind: "hand_over_not_made", ReminderID: e.ID, MessageID: e.MessageID, Detail: []Field{{"cause", e.Failure.Message}}}, true
		}
		return TimelineEntry{Kind: "message_refused", Reason: ReasonRefused, ReminderID: e.ID, MessageID: e.MessageID, Detail: failureFields(e.Failure)}, true
	case MessageRecorded:
		return TimelineEntry{Kind: "message_recorded", Reason: ReasonDryRun, ReminderID: e.ID, MessageID: e.MessageID}, true
	case AttemptUncertain:
		return TimelineEntry{
			Kind: "message_uncertain", Reason: e.Reason, ReminderID: e.ID, MessageID: e.MessageID,
			Detail: []Field{{"cause", e.Cause}, {"look_up_at", Instant(e.LookupAt)}},
		}, true
	case LookupDone:
		return TimelineEntry{
			Kind: "message_looked_up", ReminderID: e.ID, MessageID: e.MessageID,
			Detail: []Field{{"absent", e.Absent}, {"look_up_at", Instant(e.LookupAt)}},
		}, true
	case MessageReported:
		d := TimelineEntry{
			Kind: "delivery_reported", ReminderID: e.ID, MessageID: e.MessageID,
			Detail: []Field{{"status", e.Status.String()}, {"sid", e.SID}},
		}
		if e.Status.lost() {
			d.Detail = append(d.Detail, failureFields(e.Failure)...)
		}
		return d, true
	}
	return TimelineEntry{}, false
}

func describeComposed(e TextComposed) TimelineEntry {
	d := TimelineEntry{Kind: "text_composed", ReminderID: e.ID, Detail: []Field{{"outcome", e.Outcome.String()}}}
	if e.Why != "" {
		d.Detail = append(d.Detail, Field{"why", e.Why})
	}
	if e.Text != "" {
		d.Detail = append(d.Detail, Field{"text", e.Text})
	}
	d.Detail = append(d.Detail,
		Field{"model", e.Model}, Field{"prompt_tokens", int64(e.PromptTokens)}, Field{"cached_tokens", int64(e.CachedTokens)},
		Field{"completion_tokens", int64(e.CompletionTokens)}, Field{"cost_micro_usd", e.CostMicros}, Field{"priced", e.Priced})
	return d
}

func describePlan(e PlanRan) TimelineEntry {
	d := TimelineEntry{Kind: "plan_ran", Reason: e.Cause, Detail: []Field{
		{"date", e.Day.Date.String()},
		{"day_start", Instant(e.Day.Start)},
		{"day_end", Instant(e.Day.End)},
		{"seen", int64(e.Seen)},
		{"scheduled", int64(e.Scheduled)},
	}}
	for _, c := range e.Skipped {
		d.Detail = append(d.Detail, Field{"skipped_" + c.Reason.String(), int64(c.Count)})
	}
	return d
}

func eventFields(e CalendarEvent) []Field {
	out := []Field{{"title", e.Title}, {"start", Instant(e.Start)}}
	if e.AllDay {
		out[1] = Field{"date", e.Date.String()}
	}
	if e.HasVersion {
		out = append(out, Field{"version", e.Version})
	}
	return out
}

func failureFields(f Failure) []Field {
	return []Field{{"error_code", int64(f.Code)}, {"error_category", f.Category.String()}, {"error", f.Message}}
}

func describeCalendar(e Event) TimelineEntry {
	switch e := e.(type) { //nolint:gochecksumtype // Describe sends only these here
	case CalendarConnected:
		return TimelineEntry{Kind: "calendar_connected", Detail: []Field{{"calendar_id", e.Calendar.ID}, {"kind", e.Calendar.Kind.String()}}}
	case CalendarDisconnected:
		return TimelineEntry{Kind: "calendar_disconnected", Detail: []Field{{"calendar_id", e.ID}}}
	case CalendarAsked:
		return TimelineEntry{Kind: "calendar_refresh_asked", Detail: []Field{{"calendar_id", e.ID}, {"next_at", Instant(e.NextAt)}}}
	case CalendarRead:
		return TimelineEntry{Kind: "calendar_read", Detail: []Field{
			{"calendar_id", e.ID},
			{"whole", e.Whole},
			{"created", int64(e.Created)},
			{"updated", int64(e.Updated)},
			{"deleted", int64(e.Deleted)},
			{"next_at", Instant(e.NextAt)},
		}}
	case CalendarFailed:
		d := TimelineEntry{Kind: "calendar_failed", Detail: []Field{{"calendar_id", e.ID}, {"problem", e.Problem}, {"cause", e.Cause}}}
		if e.NextAt != 0 {
			d.Detail = append(d.Detail, Field{"next_at", Instant(e.NextAt)})
		}
		return d
	}
	return TimelineEntry{Kind: "unknown"}
}
