package engine

import (
	"slices"
)

const (
	maxLeads       = 4
	maxLead        = 10_080 // minutes: a week
	maxDailyLimit  = 100
	maxStarts      = 5 // verification starts per hour (N2)
	minutesPerDay  = 24 * 60
	minLead        = 1
	byAPI          = "api"
	byAttest       = "attest"
	byVerification = "verification"
	byErase        = "erase"
)

// updateUser creates, replaces or patches a user; what pends is planned anew
// in the same turn (P7).
func (t *turn) updateUser(c UpdateUser) Reply {
	if !t.u.Exists && !c.Create {
		return notFound(CodeUserNotFound, "no such user")
	}
	created := !t.u.Exists
	prefs, zone, refused := t.profile(c, created)
	if refused != nil {
		return *refused
	}
	zoneChanged := zone != t.u.Zone
	if created || zoneChanged || !samePrefs(prefs, t.u.Prefs) {
		t.emit(ProfileSet{Created: created, Zone: zone, Prefs: prefs})
	}
	t.setPhone(c)
	if zoneChanged {
		t.loc = nil
		t.changeZone(created)
		t.readAnew()
	}
	t.replan()
	return UserReply{User: t.u.view(t.zone(), t.env.Now), Created: created}
}

// profile merges a command with what is there and validates the result.
func (t *turn) profile(c UpdateUser, created bool) (Preferences, string, *Refusal) {
	prefs, zone := t.u.Prefs, t.u.Zone
	if created || c.Replace {
		prefs, zone = DefaultPreferences(), ""
	}
	take(&zone, c.Zone)
	take(&prefs.Reminders, c.Reminders)
	take(&prefs.Quiet, c.Quiet)
	take(&prefs.QuietPolicy, c.QuietPolicy)
	take(&prefs.DailyLimit, c.DailyLimit)
	take(&prefs.AllDayAt, c.AllDayAt)
	take(&prefs.AllowUrgent, c.AllowUrgent)
	if c.Leads.Set {
		prefs.Leads = slices.Clone(c.Leads.Value)
		slices.Sort(prefs.Leads)
	}
	if zone == "" {
		r := invalid(CodeMissingField, "timezone", "an IANA time zone is needed, such as Europe/Berlin")
		return prefs, zone, &r
	}
	if loc, err := t.env.Zone(zone); err != nil || loc == nil {
		r := invalid(CodeUnknownZone, "timezone", "not a zone of the IANA time zone database")
		return prefs, zone, &r
	}
	return prefs, zone, checkPreferences(prefs)
}

func take[T any](into *T, from Opt[T]) {
	if from.Set {
		*into = from.Value
	}
}

// checkPreferences names the first field that can't be.
func checkPreferences(p Preferences) *Refusal {
	var field, detail string
	switch {
	case len(p.Leads) < 1 || len(p.Leads) > maxLeads:
		field, detail = "preferences.lead_times_minutes", "1 to 4 lead times are needed"
	case p.Leads[0] < minLead || p.Leads[len(p.Leads)-1] > maxLead:
		field, detail = "preferences.lead_times_minutes", "lead times are whole minutes from 1 to 10080"
	case len(slices.Compact(slices.Clone(p.Leads))) != len(p.Leads):
		field, detail = "preferences.lead_times_minutes", "lead times must be distinct"
	case p.Quiet.Set && (p.Quiet.Start >= minutesPerDay || p.Quiet.End >= minutesPerDay):
		field, detail = "preferences.quiet_hours", "times are 00:00 to 23:59"
	case p.Quiet.Set && p.Quiet.Start == p.Quiet.End:
		field, detail = "preferences.quiet_hours", "start and end are equal; use null for no quiet hours"
	case p.DailyLimit < 0 || p.DailyLimit > maxDailyLimit:
		field, detail = "preferences.daily_limit", "the limit is 0 to 100"
	case p.AllDayAt != NoAllDay && (p.AllDayAt < 0 || p.AllDayAt >= minutesPerDay):
		field, detail = "preferences.all_day_at", "times are 00:00 to 23:59"
	case p.QuietPolicy > QuietSkip:
		field, detail = "preferences.quiet_policy", "the policy is later, earlier or skip"
	default:
		return nil
	}
	r := invalid(CodeInvalidField, field, detail)
	return &r
}

func samePrefs(a, b Preferences) bool {
	sameLeads := slices.Equal(a.Leads, b.Leads)
	a.Leads, b.Leads = nil, nil
	return sameLeads && a.Reminders == b.Reminders && a.Quiet == b.Quiet && a.QuietPolicy == b.QuietPolicy &&
		a.DailyLimit == b.DailyLimit && a.AllDayAt == b.AllDayAt && a.AllowUrgent == b.AllowUrgent
}

// setPhone takes a number from a profile. A verified number goes on working
// while another one waits for its code (N2).
func (t *turn) setPhone(c UpdateUser) {
	u := t.u
	next := PhoneSet{Phone: u.Phone, Verified: u.Verified, Pending: u.PendingPhone, By: byAPI}
	switch phone := c.Phone.Value; {
	case !c.Phone.Set && c.Replace && !u.Verified:
		next.Phone, next.Pending = "", ""
	case !c.Phone.Set:
		return
	case phone == "":
		next = PhoneSet{By: byAPI}
		if u.Verified {
			next.Had = u.Phone
		}
	case !u.Verified:
		next.Phone = phone
	case phone == u.Phone:
		next.Pending = ""
	default:
		next.Pending = phone
	}
	if next.Phone != u.Phone || next.Verified != u.Verified || next.Pending != u.PendingPhone {
		t.emit(next)
	}
}

// changeZone makes the day of the new zone the current one. Its date may have
// begun already, or be yesterday's still: then the count stays (P5).
func (t *turn) changeZone(created bool) {
	cause := ReasonZone
	if created {
		cause = ReasonCreated
	}
	t.planDay(t.day(dateOf(t.env.Now, t.zone())), cause)
}

func (t *turn) erase() Reply {
	if t.u.Verified {
		t.emit(PhoneSet{Had: t.u.Phone, By: byErase})
	}
	t.emit(UserErased{})
	return Done{}
}

func (t *turn) attest(phone string) Reply {
	t.verify(phone, byAttest)
	return t.getUser()
}

func (t *turn) startVerification(phone string) Reply {
	live := slices.DeleteFunc(slices.Clone(t.u.Starts), func(s Millis) bool { return !withinHour(s, t.env.Now) })
	if len(live) >= maxStarts {
		return Refusal{
			Kind: RefusedTooMany, Code: CodeRateLimited, Detail: "5 verifications per hour and user",
			RetryAfter: live[len(live)-maxStarts] + hour - t.env.Now,
		}
	}
	t.emit(VerificationStarted{Phone: phone})
	return VerificationReply{Phone: phone}
}

// withinHour reports whether a verification start counts at an instant. One that
// lies ahead is of a clock that has gone back since: after a long step it would
// keep the person out for as long.
func withinHour(start, at Millis) bool { return start > at-hour && start < at+hour }

func (t *turn) confirmVerification(phone string) Reply {
	if t.u.PendingPhone == "" || t.u.PendingPhone != phone {
		return conflict(CodeNoVerification, "no verification is pending for this number")
	}
	t.verify(phone, byVerification)
	return t.getUser()
}

// verify makes phone the user's verified number.
func (t *turn) verify(phone, by string) {
	e := PhoneSet{Phone: phone, Verified: true, By: by}
	if t.u.Verified && t.u.Phone != phone {
		e.Had = t.u.Phone
	}
	if t.u.Phone != phone || !t.u.Verified || t.u.PendingPhone != "" {
		t.emit(e)
	}
	t.replan()
}

func (t *turn) pause(paused bool) Reply {
	if t.u.Paused != paused {
		t.emit(UserPaused{Paused: paused})
	}
	return t.getUser()
}
