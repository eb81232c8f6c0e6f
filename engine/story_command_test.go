package engine_test

import (
	"strconv"
	"strings"
	"time"

	"carillon/engine"
)

// command reads one line of a story.
func (s *story) command(verb string, args []string) engine.Command {
	s.t.Helper()
	kv := pairs(args)
	switch verb {
	case "user":
		c := s.profile(kv)
		c.Create, c.Replace = true, true
		return c
	case "patch":
		return s.profile(kv)
	case "attest":
		return engine.AttestPhone{Phone: args[0]}
	case "start-verification":
		return engine.StartVerification{Phone: args[0]}
	case "confirm":
		return engine.ConfirmVerification{Phone: args[0]}
	case "erase":
		return engine.EraseUser{}
	case "pause":
		return engine.PauseUser{Paused: args[0] == "on"}
	case "consent":
		return engine.SetConsent{OptOut: args[0] == "out", Reason: kv["reason"]}
	case "put":
		return engine.Put(s.calendarEvent(args[0], kv))
	case "delete":
		c := engine.DeleteEvent{ID: args[0]}
		if v, ok := kv["version"]; ok {
			c.Version, c.HasVersion = s.number(v), true
		}
		return c
	case "sync":
		return s.sync(args)
	case "custom":
		c := engine.CreateReminder{Text: kv["text"], SendAt: instant(s.t, kv["at"]), Priority: priority(kv["priority"])}
		if v, ok := kv["expires"]; ok {
			c.ExpiresAt = instant(s.t, v)
		}
		return c
	case "cancel":
		return engine.CancelReminder{ID: s.id(args[0])}
	case "send-now":
		return engine.SendNow{ID: s.id(args[0])}
	case "hand-over":
		return engine.HandOver{ReminderID: s.id(args[0])}
	case "outcome":
		return s.outcome(s.id(args[0]), args[1], kv)
	case "composed":
		return s.composed(s.id(args[0]), args[1], kv)
	case "report":
		return engine.ReportDelivery{
			MessageID: s.messageID(s.id(args[0]), kv), SID: sid(kv), Status: status(args[1]), Failure: failure(s, kv),
		}
	case "sighting":
		kinds := map[string]engine.SightingKind{"found": engine.SightingFound, "absent": engine.SightingAbsent, "unknown": engine.SightingUnknown, "early": engine.SightingEarly}
		c := engine.RecordSighting{MessageID: s.messageID(s.id(args[0]), kv), Kind: kinds[args[1]], SID: sid(kv), Status: engine.MessageQueued, Failure: failure(s, kv)}
		if v, ok := kv["status"]; ok {
			c.Status = status(v)
		}
		if v, ok := kv["wait"]; ok {
			c.Wait = s.number(v) * 1000
		}
		return c
	case "text":
		return engine.ReceiveText{SID: kv["sid"], Text: args[0], OptOut: kv["opt_out"]}
	case "recover":
		c := engine.Recover{}
		if v, ok := kv["backup"]; ok {
			c.BackupAt = instant(s.t, v)
			_, c.Ahead = kv["ahead"]
		}
		return c
	case "connect", "disconnect", "refresh", "read":
		return s.calendar(verb, args)
	case "plan":
		d, err := time.Parse(time.DateOnly, args[0])
		if err != nil {
			s.t.Fatal(err)
		}
		return engine.PreviewPlan{Date: engine.Date(d.Unix() / 86400)}
	}
	s.t.Fatalf("no such command in a story: %q", verb)
	return nil
}

func pairs(args []string) map[string]string {
	kv := map[string]string{}
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			kv[k] = v
		} else {
			kv[a] = ""
		}
	}
	return kv
}

func (s *story) profile(kv map[string]string) engine.UpdateUser {
	var c engine.UpdateUser
	if v, ok := kv["zone"]; ok {
		c.Zone = engine.Some(v)
	}
	if v, ok := kv["phone"]; ok {
		c.Phone = engine.Some(v)
	}
	if v, ok := kv["reminders"]; ok {
		c.Reminders = engine.Some(v == "on")
	}
	if v, ok := kv["leads"]; ok {
		var leads []int32
		for l := range strings.SplitSeq(v, ",") {
			leads = append(leads, int32(s.number(l)))
		}
		c.Leads = engine.Some(leads)
	}
	if v, ok := kv["quiet"]; ok {
		var q engine.Quiet
		if from, to, ok := strings.Cut(v, "-"); ok {
			q = engine.Quiet{Set: true, Start: clock(from), End: clock(to)}
		}
		c.Quiet = engine.Some(q)
	}
	if v, ok := kv["quiet_policy"]; ok {
		c.QuietPolicy = engine.Some(map[string]engine.QuietPolicy{"later": engine.QuietLater, "earlier": engine.QuietEarlier, "skip": engine.QuietSkip}[v])
	}
	if v, ok := kv["limit"]; ok {
		c.DailyLimit = engine.Some(int32(s.number(v)))
	}
	if v, ok := kv["all_day_at"]; ok {
		c.AllDayAt = engine.Some(int16(clock(v)))
	}
	if v, ok := kv["allow_urgent"]; ok {
		c.AllowUrgent = engine.Some(v == "on")
	}
	return c
}

func (s *story) calendarEvent(id string, kv map[string]string) engine.CalendarEvent {
	e := engine.CalendarEvent{ID: id, Title: kv["title"], Location: kv["location"], Link: kv["link"]}
	if v, ok := kv["start"]; ok {
		e.Start = instant(s.t, v)
		e.End = e.Start + 30*60*1000
	}
	if v, ok := kv["end"]; ok {
		e.End = instant(s.t, v)
	}
	if v, ok := kv["date"]; ok {
		d, err := time.Parse(time.DateOnly, v)
		if err != nil {
			s.t.Fatal(err)
		}
		e.AllDay, e.Date = true, engine.Date(d.Unix()/86400)
		e.EndDate = e.Date + 1
	}
	if v, ok := kv["version"]; ok {
		e.Version, e.HasVersion = s.number(v), true
	}
	if _, ok := kv["free"]; ok {
		e.Free = true
	}
	if kv["response"] == "declined" {
		e.Response = engine.ResponseDeclined
	}
	e.Sync = map[string]engine.SyncStatus{"pending": engine.SyncPending, "failed": engine.SyncFailed, "cancelled": engine.SyncCanceled}[kv["sync"]]
	return e
}

// sync reads "sync START END id@START#VERSION …"; the version may be missing.
func (s *story) sync(args []string) engine.Command {
	c := engine.SyncEvents{Start: instant(s.t, args[0]), End: instant(s.t, args[1])}
	for _, a := range args[2:] {
		id, start, _ := strings.Cut(a, "@")
		kv := map[string]string{"title": id}
		start, version, versioned := strings.Cut(start, "#")
		if kv["start"] = start; versioned {
			kv["version"] = version
		}
		c.Events = append(c.Events, s.calendarEvent(id, kv))
	}
	return c
}

func (s *story) outcome(reminder, kind string, kv map[string]string) engine.Command {
	c := engine.RecordOutcome{MessageID: s.messageID(reminder, kv), Failure: failure(s, kv)}
	switch kind {
	case "accepted":
		c.Kind, c.SID, c.Status = engine.OutcomeAccepted, sid(kv), engine.MessageQueued
	case "refused":
		c.Kind = engine.OutcomeRefused
	case "recorded":
		c.Kind = engine.OutcomeRecorded
	case "uncertain":
		c.Kind, c.Cause = engine.OutcomeUncertain, "timeout"
	case "not-made":
		c.Kind, c.Cause = engine.OutcomeNotMade, "slept"
	default:
		s.t.Fatalf("outcome %q", kind)
	}
	return c
}

// composed reads "composed r1 ok text=…", an answer to what was asked last, or
// to the one before with stale.
func (s *story) composed(reminder, outcome string, kv map[string]string) engine.Command {
	c := engine.RecordComposition{
		ReminderID: reminder, Content: s.composing[reminder].Content, Text: kv["text"], Cause: kv["cause"],
		Model: "m1", PromptTokens: 200, CompletionTokens: 20, CostMicros: 42, Priced: "base",
	}
	if _, ok := kv["stale"]; ok {
		c.Content = s.stale[reminder].Content
	}
	for _, o := range engine.ComposeOutcomes() {
		if o.String() == outcome {
			c.Outcome = o
		}
	}
	if c.Outcome == engine.ComposeNone {
		s.t.Fatalf("composed %q", outcome)
	}
	return c
}

func failure(s *story, kv map[string]string) engine.Failure {
	f := engine.Failure{}
	if v, ok := kv["category"]; ok {
		f.Category, _ = engine.ParseCategory(v)
	}
	if v, ok := kv["code"]; ok {
		f.Code = int(s.number(v))
	}
	if v, ok := kv["after"]; ok {
		f.RetryAfter = s.number(v) * 1000
	}
	f.Retry = map[string]engine.RetryRule{"once": engine.RetryOnce, "yes": engine.RetryYes}[kv["retry"]]
	return f
}

func sid(kv map[string]string) string {
	if v, ok := kv["sid"]; ok {
		return v
	}
	return "SM1"
}

func status(name string) engine.MessageStatus {
	for st := engine.MessageNone; st <= engine.MessageCanceled; st++ {
		if st.String() == name {
			return st
		}
	}
	return engine.MessageNone
}

// messageID returns the message of that attempt, the last one by default.
func (s *story) messageID(reminder string, kv map[string]string) string {
	for _, r := range s.u.Reminders {
		if r.ID != reminder || len(r.Messages) == 0 {
			continue
		}
		n := len(r.Messages)
		if v, ok := kv["attempt"]; ok {
			n = int(s.number(v))
		}
		return r.Messages[n-1].ID
	}
	return "m_unknown"
}

func (s *story) setPolicy(args []string) {
	for k, v := range pairs(args) {
		switch k {
		case "on_uncertain":
			s.policy.OnUncertain = map[string]engine.UncertainRule{"hold": engine.Hold, "resend": engine.Resend}[v]
		case "compose":
			s.policy.Compose = v == "on"
		case "max_segments":
			s.policy.MaxSegments = int(s.number(v))
		case "max_events":
			s.policy.MaxEvents = int(s.number(v))
		case "max_reminders":
			s.policy.MaxReminders = int(s.number(v))
		}
	}
}

func priority(name string) engine.Priority {
	switch name {
	case "low":
		return engine.PriorityLow
	case "high":
		return engine.PriorityHigh
	case "urgent":
		return engine.PriorityUrgent
	}
	return engine.PriorityNormal
}

func clock(s string) uint16 {
	h, m, _ := strings.Cut(s, ":")
	hours, _ := strconv.Atoi(h)
	mins, _ := strconv.Atoi(m)
	return uint16(hours*60 + mins)
}

func (s *story) number(v string) int64 {
	s.t.Helper()
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
