package main

// mutant is a bug to plant: triples of file, what is there, and what shall be.
type mutant struct {
	name  string
	edits []string
}

var mutants = []mutant{
	{"answer_before_flush", []string{"actors/user.go", "	rel.unflushed = u.unflushed\n	u.unflushed.Add(1)\n", "	if rel.deliver != nil {\n		rel.deliver(rel.reply, nil)\n		rel.deliver = nil\n	}\n	rel.unflushed = u.unflushed\n	u.unflushed.Add(1)\n"}},
	{"timers_forgotten_at_start", []string{"actors/recovery.go", "if len(arms) > 0 {", "if false {"}},
	{"snapshot_without_tail", []string{"actors/load.go", "if head <= at {", "if head <= at || at > 0 {"}},
	{"pause_ignored", []string{"actors/outbox.go", "if o.paused || o.holdAll {", "if o.holdAll {"}},
	{"number_taken_twice", []string{"actors/directory.go", "if ok && string(owner) != m.userID {", "if ok && string(owner) == \"\" {"}},
	{"sent_without_check", []string{"engine/send.go", "if why := t.preSend(r); why != ReasonNone {", "if why := t.preSend(r); why == reasonCount {"}},
	{"stop_cancels_nothing", []string{ // and nobody looks when it is sent: there are two locks on the door
		"engine/consent.go", "Text: clip(text, maxLedgerText)})\n	t.replan()", "Text: clip(text, maxLedgerText)})",
		"engine/send.go", "	case t.u.OptedOut:\n		return ReasonOptedOut\n	case t.u.Phone", "	case t.u.Phone",
	}},
	{"quiet_not_looked_at_when_sent", []string{
		"engine/send.go", "	if t.postponed(r) {", "	if false && t.postponed(r) {",
		"engine/send.go", "return min(r.Deadline, t.u.Prefs.Quiet.next(t.env.Now, t.zone()))", "return r.Deadline",
	}},
	{"quiet_end_belongs_to_it", []string{"engine/quiet.go", "return start <= minuteOfDay && minuteOfDay < end", "return start < minuteOfDay && minuteOfDay <= end"}},
	{"quiet_by_utc", []string{"engine/quiet.go", "return q.Set && q.covers(wallMillis(t, loc)/minute)", "return q.Set && q.covers(floorMod(t, dayMillis)/minute)"}},
	{"limit_one_too_many", []string{
		"engine/plan.go", "r.left <= 0 {", "r.left < 0 {",
		"engine/send.go", "return t.u.spentOn(on)+held < t.u.Prefs.DailyLimit", "return t.u.spentOn(on)+held <= t.u.Prefs.DailyLimit",
	}},
	{"count_by_utc_days", []string{"engine/civil.go", "return max(dateOf(t, loc), u.Day.Account)", "return Date(floorDiv(t, dayMillis))"}},
	{"place_of_unsure_comes_back", []string{"engine/send.go", "Reason: ReasonUncertainExpired, KeepPlace: true}", "Reason: ReasonUncertainExpired}"}},
	{"last_status_wins", []string{"engine/delivery.go", "case MessageDelivered:\n		return 8", "case MessageDelivered:\n		return 4"}},
	{"status_goes_back", []string{"engine/outcome.go", "if status.rank() <= m.Status.rank() {", "if status.rank() == m.Status.rank() {"}},
	{"four_attempts", []string{"engine/decide.go", "const MaxAttempts = 3", "const MaxAttempts = 4"}},
	{"unsure_is_sent_again", []string{"engine/outcome.go", "if t.env.Policy.OnUncertain == Resend {", "if t.env.Policy.OnUncertain != Hold {"}},
	{"crash_is_no_matter", []string{"engine/restore.go", "t.uncertain(r, m, ReasonCrash,", "if t.env.Draw%2 == 0 {\n			t.emit(MessageRefused{ID: r.ID, MessageID: m.ID})\n			t.again(t.u.reminder(r.ID), t.env.Now, ReasonRefused)\n			continue\n		}\n		t.uncertain(r, m, ReasonCrash,"}},
	{"absent_once_is_enough", []string{"engine/outcome.go", "const absentProof = 2", "const absentProof = 1"}},
	{"looked_up_at_once", []string{"engine/outcome.go", "LookupAt: t.env.Now + t.env.Policy.ReconcileAfter,", "LookupAt: t.env.Now,", "engine/outcome.go", "wait := t.env.Policy.ReconcileAfter << min(m.Absent, 6)", "wait := second << min(m.Absent, 6)"}},
	{"restore_is_no_matter", []string{"engine/restore.go", "		t.emit(Fenced{BackupAt: c.BackupAt})\n		t.assume()", "		t.emit(Fenced{BackupAt: c.BackupAt})\n		t.fenced = 0"}},
	{"restored_is_stale", []string{"engine/turn.go", "		if r, ok := cmd.(Recover); ok {\n			t.fence(r)\n		}\n		t.advance()\n", "		t.advance()\n		if r, ok := cmd.(Recover); ok {\n			t.fence(r)\n		}\n"}},
	{"restored_looked_for_since_due", []string{"engine/wake.go", "l.Since = min(l.Since, t.u.Fence)", "l.Since += 0"}},
	{"restored_loss_is_retried", []string{"engine/outcome.go", "t.ranOn = restored", "t.ranOn = false && restored"}},
	{"cancel_does_not_last", []string{"engine/custom.go", "case r.pending(), r.revivable():", "case r.pending():"}},
	{"cancel_in_flight_forgotten", []string{"engine/custom.go", "			t.emit(CancelAsked{ID: id, Reason: ReasonByRequest})", "			t.emit(ReminderCanceled{ID: id, Reason: ReasonByRequest})"}},
	{"today_is_tomorrow", []string{"engine/text.go", `head = "Tomorrow: "`, `head = "Today: "`}},
	{"pending_hides_declined", []string{"engine/plan.go", "	case s.Response == ResponseDeclined:\n		return ReasonDeclined\n", "	case s.Sync == SyncPending:\n		return ReasonEventPending\n	case s.Response == ResponseDeclined:\n		return ReasonDeclined\n"}},
	{"due_behind_deadline", []string{"engine/plan.go", "if c.Due >= c.Deadline { //", "if false { //"}},
	{"old_version_wins", []string{"engine/calendar.go", "case both && e.Version < s.Version,", "case both && e.Version < 0,"}},
	{"event_not_planned_at_once", []string{"engine/calendar.go", "	how := t.store(e, false)\n	t.replan()\n", "	how := t.store(e, false)\n"}},
	{"deleted_is_not_planned_anew", []string{"engine/calendar.go", "	t.emit(EventDeleted(c))\n	t.replan()\n", "	t.emit(EventDeleted(c))\n"}},
	{"sync_deletes_nothing", []string{"engine/calendar.go", "		t.emit(e)\n		n.Deleted++\n", "		_ = e\n		n.Deleted++\n"}},
	{"key_not_remembered", []string{"engine/turn.go", "	if t.env.Key == \"\" {\n		return nil, false\n	}\n	k, ok", "	if t.env.Key != \"\" {\n		return nil, false\n	}\n	k, ok"}},
	{"text_says_when_it_was_due", []string{"engine/send.go", "t.tellApart(r, t.compose(r, t.env.Now))", "t.tellApart(r, t.compose(r, r.Due))"}},
	{"stop_is_not_heard", []string{"engine/consent.go", "t.setOptOut(true, bySMS, text)", "t.setOptOut(len(text)%2 == 0, bySMS, text)"}},
	{"deadline_ten_minutes_late", []string{
		"engine/send.go", "case r.pending() && t.env.Now >= r.Deadline:", "case r.pending() && t.env.Now >= r.Deadline+10*minute:",
		"engine/send.go", "if t.env.Now >= r.Deadline || r.Attempts >= MaxAttempts {", "if r.Attempts >= MaxAttempts {",
		"engine/send.go", "return min(r.Deadline, t.u.Prefs.Quiet.next(", "return min(r.Deadline+10*minute, t.u.Prefs.Quiet.next(",
	}},
	{"zone_change_keeps_the_day", []string{"engine/profile.go", "	if zoneChanged {\n		t.loc = nil\n", "	if zoneChanged && t.u.Day.End == 0 {\n		t.loc = nil\n"}},
	{"erased_keeps_its_number", []string{"actors/index.go", "	case engine.UserErased:\n			ops = append(ops, wal.IndexOp{Space: spaceUser, Key: []byte(userID)})", "	case engine.UserErased:"}},
	{"redaction_skipped", []string{"actors/keeper.go", "if _, err := log.Redact(m.id, m.seq); err != nil {", "if _, err := log.Redact(m.id, 0); err != nil {"}},
	{"wake_lost_behind_a_read", []string{"actors/user.go", "&& (u.armed == 0 || u.armed > now)", ""}},
}
