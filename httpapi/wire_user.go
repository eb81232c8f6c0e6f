package httpapi

import (
	"math"

	"carillon/engine"
)

// userJSON is a user as shown (SPEC 9).
type userJSON struct {
	UserID        string          `json:"user_id"`
	PhoneNumber   *string         `json:"phone_number"`
	PhoneVerified bool            `json:"phone_verified"`
	PendingPhone  string          `json:"pending_phone_number,omitempty"`
	OptedOut      bool            `json:"opted_out"`
	Paused        bool            `json:"paused"`
	Timezone      string          `json:"timezone"`
	Preferences   preferencesJSON `json:"preferences"`
	Daily         dailyJSON       `json:"daily"`
	CreatedAt     string          `json:"created_at"`
	UpdatedAt     string          `json:"updated_at"`
}

type preferencesJSON struct {
	EventReminders bool       `json:"event_reminders_enabled"`
	LeadTimes      []int32    `json:"lead_times_minutes"`
	QuietHours     *quietJSON `json:"quiet_hours"`
	QuietPolicy    string     `json:"quiet_policy"`
	DailyLimit     int32      `json:"daily_limit"`
	AllDayAt       *string    `json:"all_day_at"`
	AllowUrgent    bool       `json:"allow_urgent"`
}

type quietJSON struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type dailyJSON struct {
	Date     string `json:"date"`
	Count    int32  `json:"count"`
	Reserved int32  `json:"reserved"`
	Limit    int32  `json:"limit"`
}

var (
	quietPolicyWords = []string{"later", "earlier", "skip"}
	quietPolicies    = []engine.QuietPolicy{engine.QuietLater, engine.QuietEarlier, engine.QuietSkip}
)

func showUser(u engine.UserView) userJSON {
	p := preferencesJSON{
		EventReminders: u.Prefs.Reminders, LeadTimes: u.Prefs.Leads, QuietPolicy: word(quietPolicyWords, u.Prefs.QuietPolicy),
		DailyLimit: u.Prefs.DailyLimit, AllowUrgent: u.Prefs.AllowUrgent,
	}
	if q := u.Prefs.Quiet; q.Set {
		p.QuietHours = &quietJSON{Start: showClock(int(q.Start)), End: showClock(int(q.End))}
	}
	if at := u.Prefs.AllDayAt; at != engine.NoAllDay {
		p.AllDayAt = textOrNull(showClock(int(at)))
	}
	return userJSON{
		UserID: u.ID, PhoneNumber: textOrNull(u.Phone), PhoneVerified: u.Verified, PendingPhone: u.PendingPhone,
		OptedOut: u.OptedOut, Paused: u.Paused, Timezone: u.Zone, Preferences: p,
		Daily:     dailyJSON{Date: u.Date.String(), Count: u.Count, Reserved: u.Reserved, Limit: u.Prefs.DailyLimit},
		CreatedAt: showInstant(u.CreatedAt), UpdatedAt: showInstant(u.UpdatedAt),
	}
}

// word returns the name of a closed set's member.
func word[T ~uint8](words []string, v T) string {
	if int(v) < len(words) {
		return words[v]
	}
	return "unknown"
}

// quietPatch is quiet hours as they came: a merge-patch may name one end and
// keep the other (RFC 7396).
type quietPatch struct{ start, end *uint16 }

// partial reports whether one end is missing.
func (q quietPatch) partial() bool { return (q.start == nil) != (q.end == nil) }

// over puts what was named over what is there.
func (q quietPatch) over(is engine.Quiet) engine.Quiet {
	is.Set = true
	if q.start != nil {
		is.Start = *q.start
	}
	if q.end != nil {
		is.End = *q.end
	}
	return is
}

// readUser reads the body of PUT or, with patch, of PATCH. What is null takes
// its default.
func readUser(f *fields, userID, region string, patch bool) (engine.UpdateUser, quietPatch) {
	c := engine.UpdateUser{Create: !patch, Replace: !patch}
	f.same("user_id", userID)
	if phone, ok := f.phone("phone_number", region); ok {
		c.Phone = engine.Some(phone)
	} else if f.null("phone_number") {
		c.Phone = engine.Some("")
	}
	if zone, ok := f.text("timezone", 64); ok {
		c.Zone = engine.Some(zone)
	} else if f.null("timezone") {
		f.fail("timezone", codeInvalidField, "a user can't be without a time zone")
	}
	var quiet quietPatch
	if p, ok := f.object("preferences"); ok {
		quiet = readPreferences(p, &c, patch)
	} else if f.null("preferences") {
		resetPreferences(&c)
	}
	f.readOnly("phone_verified", "pending_phone_number", "opted_out", "paused", "daily", "created_at", "updated_at")
	f.done()
	return c, quiet
}

func readPreferences(f *fields, c *engine.UpdateUser, patch bool) quietPatch {
	def := engine.DefaultPreferences()
	c.Reminders = optional(f, "event_reminders_enabled", def.Reminders, f.boolean)
	c.AllowUrgent = optional(f, "allow_urgent", def.AllowUrgent, f.boolean)
	c.DailyLimit = optional(f, "daily_limit", def.DailyLimit, f.whole32)
	c.AllDayAt = optional(f, "all_day_at", engine.NoAllDay, func(name string) (int16, bool) {
		at, ok := f.clock(name)
		return int16(at), ok
	})
	c.QuietPolicy = optional(f, "quiet_policy", def.QuietPolicy, func(name string) (engine.QuietPolicy, bool) {
		return choice(f, name, quietPolicyWords, quietPolicies)
	})
	c.Leads = optional(f, "lead_times_minutes", def.Leads, f.leads)
	var quiet quietPatch
	if q, ok := f.object("quiet_hours"); ok {
		quiet = readQuiet(q, patch)
	} else if f.null("quiet_hours") {
		c.Quiet = engine.Some(engine.Quiet{})
	}
	f.done()
	return quiet
}

func resetPreferences(c *engine.UpdateUser) {
	def := engine.DefaultPreferences()
	c.Reminders, c.AllowUrgent = engine.Some(def.Reminders), engine.Some(def.AllowUrgent)
	c.DailyLimit, c.AllDayAt = engine.Some(def.DailyLimit), engine.Some(def.AllDayAt)
	c.QuietPolicy, c.Quiet, c.Leads = engine.Some(def.QuietPolicy), engine.Some(def.Quiet), engine.Some(def.Leads)
}

func readQuiet(f *fields, patch bool) quietPatch {
	var q quietPatch
	if at, ok := f.clock("start"); ok {
		q.start = &at
	}
	if at, ok := f.clock("end"); ok {
		q.end = &at
	}
	whole := !patch || q == quietPatch{}
	if whole || f.null("start") {
		f.need("start", "quiet hours have a start and an end")
	}
	if whole || f.null("end") {
		f.need("end", "quiet hours have a start and an end")
	}
	f.done()
	return q
}

// optional reads a field that may be absent; null means its default.
func optional[T any](f *fields, name string, def T, read func(string) (T, bool)) engine.Opt[T] {
	if f.null(name) {
		return engine.Some(def)
	}
	if v, ok := read(name); ok {
		return engine.Some(v)
	}
	return engine.Opt[T]{}
}

func (f *fields) whole32(name string) (int32, bool) {
	n, ok := f.whole(name, math.MinInt32, math.MaxInt32)
	return int32(n), ok
}

// clock reads a wall-clock time as minutes after midnight.
func (f *fields) clock(name string) (uint16, bool) {
	s, there := f.text(name, 64)
	if !there {
		return 0, false
	}
	at, err := parseClock(s)
	if err != nil {
		f.fail(name, codeInvalidField, err.Error())
	}
	return at, err == nil
}

// leads reads lead times; how many and how long they may be is the engine's
// to say.
func (f *fields) leads(name string) ([]int32, bool) {
	list, ok := f.list(name, 100)
	if !ok {
		return nil, false
	}
	out := make([]int32, 0, len(list))
	for i := range list {
		n, ok := wholeOf(&list[i].value)
		if !ok || n < math.MinInt32 || n > math.MaxInt32 {
			f.fail(name, codeInvalidField, "lead times are whole minutes from 1 to 10080")
			return nil, false
		}
		out = append(out, int32(n))
	}
	return out, true
}
