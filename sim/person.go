package sim

import (
	"fmt"
	"time"

	"carillon/engine"
)

// zones are those with something to stumble over: half-hour changes, missing
// midnights, no changes, odd offsets, both hemispheres, both sides of the date
// line.
var zones = []string{
	"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo",
	"America/Havana", "Pacific/Apia", "Pacific/Chatham", "America/St_Johns", "Asia/Beirut", "Africa/Casablanca",
	"Atlantic/Azores", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "Europe/London", "America/Los_Angeles",
	"Antarctica/Troll", "America/Asuncion", "UTC",
}

// person is a user of the fake world, with clients that write for them.
type person struct {
	w  *world
	n  int
	id string

	prof fact[profile]
	cal  fact[calendar]
	cus  fact[customs]
	out  consent
	bar  bar

	life      int  // grows when the person is erased
	hold      bool // others wait: an erasure is under way
	keys      int
	tokens    int
	version   int64
	versioned bool          // the calendar gives versions
	swayed    engine.Millis // when profile or consent last did
	asked     int64         // commands so far
	numbers   []string
	listed    map[string]*engine.ReminderView // as shown last
	intents   []*intent                       // hand-overs, as they were begun since the last restore
	writers   []*writer
	consents  *writer
	texts     int
	limits    limitBook
	quieted   engine.Millis // when zone or quiet hours last changed
	snoozes   []*snooze
	lastOf    map[string]*intent       // the last text about an occurrence
	texted    map[string]engine.Millis // occurrences: true time of the first text about them
	said      map[string]engine.Millis // custom reminders by token: when a text of theirs left last, by the wall
	buried    map[string]bool          // reminders of somebody of this id who was erased
	erased    uint64                   // the last record of the last one who was
	impatient bool                     // asks for one code after the other
	starts    []engine.Millis          // of verifications
	verifying string                   // the number that a code is out for
	claim     string                   // the number that a request is under way for
	touched   map[string]bool          // events and reminders that a send-now or a cancel has meddled with
	touches   map[string]int           // how often, of events
	sources   []*source                // calendars elsewhere
	asks      *writer                  // about them; nil: there are none
	follows   follows                  // what is known of those that are connected
}

func newPerson(w *world, n int) *person {
	p := &person{
		w: w, n: n, id: fmt.Sprintf("person-%02d", n), versioned: w.d.chance(0.8),
		numbers: []string{fmt.Sprintf("+1555%03d0001", n), fmt.Sprintf("+1555%03d0002", n)},
		listed:  map[string]*engine.ReminderView{}, touched: map[string]bool{}, touches: map[string]int{},
		lastOf: map[string]*intent{}, texted: map[string]engine.Millis{}, said: map[string]engine.Millis{}, buried: map[string]bool{}, impatient: w.d.chance(0.2),
	}
	p.clear()
	p.consents = &writer{p: p, name: "consent", every: w.pace.consent, choose: p.chooseConsent}
	p.writers = []*writer{
		{p: p, name: "profile", every: w.pace.profile, choose: p.chooseProfile},
		{p: p, name: "calendar", every: w.d.between(w.pace.calendar/8, 2*w.pace.calendar) * pick(w.d, engine.Millis(1), 1, 8), choose: p.chooseCalendar},
		{p: p, name: "custom", every: w.d.between(w.pace.custom/4, 2*w.pace.custom), choose: p.chooseCustom},
		p.consents,
		{p: p, name: "reply", every: w.pace.replies, choose: p.chooseReply},
	}
	for _, c := range p.writers {
		w.after(w.d.between(0, 600_000), c.next)
	}
	w.after(w.d.about(w.pace.looks), p.look)
	w.sources.join(p)
	return p
}

// clear forgets everything: there is nobody of that id.
func (p *person) clear() {
	p.prof = fact[profile]{now: &profile{loc: time.UTC}}
	p.cal = fact[calendar]{now: &calendar{}}
	p.cus = fact[customs]{now: &customs{}}
	p.out = optedIn
	for id := range p.listed {
		p.buried[id] = true
	}
	p.listed = map[string]*engine.ReminderView{}
	p.limits = limitBook{begun: p.w.now}
	p.verifying = ""
	p.follows = follows{changes: p.follows.changes + 1}
}

// busy reports whether a writer waits for an answer.
func (p *person) busy() bool {
	for _, c := range p.writers {
		if c.cur != nil {
			return true
		}
	}
	return false
}

// exists reports whether there is somebody, for sure.
func (p *person) exists() bool { return p.prof.next == nil && p.prof.now.exists && !p.hold }

func (p *person) drawProfile() profile {
	d := p.w.d
	q := profile{
		exists: true, zone: pick(d, zones...), reminders: d.chance(0.9), leads: drawLeads(d),
		policy: pick(d, engine.QuietLater, engine.QuietLater, engine.QuietEarlier, engine.QuietSkip),
		limit:  pick(d, int32(1), 2, 3, 10, 100, 100), allDayAt: pick(d, engine.NoAllDay, 0, 540, 1200, 150), urgent: d.chance(0.5),
	}
	q.quiet = drawQuiet(d)
	q.loc = mustLoad(q.zone)
	q.corner(p.w.pace.name)
	return q
}

func drawLeads(d draw) []int32 {
	all := []int32{1, 5, 15, 30, 60, 120, 600, 1440, 4320}
	var out []int32
	for _, l := range all {
		if d.chance(0.15) && len(out) < 4 {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return []int32{15}
	}
	return out
}

func drawQuiet(d draw) engine.Quiet {
	if d.chance(0.3) {
		return engine.Quiet{}
	}
	q := engine.Quiet{Set: true, Start: uint16(d.intn(1440)), End: uint16(d.intn(1440))}
	switch d.intn(4) {
	case 0:
		q.Start, q.End = 22*60, 8*60
	case 1:
		q.Start, q.End = uint16(d.intn(4)*60+30), uint16(d.intn(4)*60+15) // around the hour that is missing or comes twice
	case 2:
		q.Start, q.End = 12*60, 13*60
	}
	if q.Start == q.End {
		q.End = (q.End + 1) % 1440
	}
	return q
}

func mustLoad(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return loc
}

// update is the command that brings a profile about.
func update(q profile, create bool) engine.UpdateUser {
	return engine.UpdateUser{
		Create: create, Zone: engine.Some(q.zone), Reminders: engine.Some(q.reminders), Leads: engine.Some(q.leads),
		Quiet: engine.Some(q.quiet), QuietPolicy: engine.Some(q.policy), DailyLimit: engine.Some(q.limit),
		AllDayAt: engine.Some(q.allDayAt), AllowUrgent: engine.Some(q.urgent),
	}
}
