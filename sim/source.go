package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"carillon/actors"
	"carillon/engine"
)

// sources are the calendars that people have elsewhere and connect (SPEC 9).
// They draw for themselves: a world without them is as it was.
type sources struct {
	w        *world
	d        draw
	share    float64         // of people, those who have one
	every    []engine.Millis // how often one is read
	changes  engine.Millis   // between two of one, in the mean
	asks     engine.Millis   // between what somebody asks about theirs, in the mean
	reads    int             // at a time
	byName   map[string]*source
	all      []*source
	readings map[string]*reading // by the cursor that each gave
}

// source is a calendar elsewhere. What it holds is the truth, and it knows
// every version of that.
type source struct {
	s         *sources
	p         *person
	name      string
	kind      engine.CalendarKind // a feed says all of it, Google what has changed
	pushes    bool
	versions  []map[string]*sourced // the last is what holds
	lost      []*sourced            // what was deleted
	ids       int
	downUntil engine.Millis // true time: it can't be read
	ended     bool          // access was taken back
	channel   engine.Channel
	askedAt   engine.Millis // true time of the last question
	askedIn   string        // and the zone that it was asked in
	hurried   engine.Millis // when somebody last wanted it to be read at once
	wanted    engine.Millis // and since when it has been, without a question
	told      int           // words of its changes that have no answer yet
	patience  engine.Millis // what its last answer asks for
	refused   bool          // and that it has ended
	calendar  string        // the engine's id, by which the channel's notices go
}

// sourced is an event as its source has it. It is never changed in place.
type sourced struct {
	calEvent
	floating bool // Start and End are times without a zone: meant where the person is
}

// reading is what a source has said once.
type reading struct {
	of         *source
	version    int
	begun      engine.Millis // true time
	wall       engine.Millis
	whole      bool
	start, end engine.Millis
	zone       *time.Location
	events     []*calEvent // with the source's ids, in their order
	gone       []string
}

// withSources is how many of the everyday and of the dense worlds have them.
const withSources = 0.25

func drawSources(w *world) *sources {
	d := newDraw(w.opt.Seed ^ 0x736f7572636573)
	s := &sources{
		w: w, d: d, byName: map[string]*source{}, readings: map[string]*reading{}, reads: pick(d, 1, 4, 16),
		share: 0.5, every: []engine.Millis{30 * minute, 2 * hour, 4 * hour}, changes: 2 * hour, asks: 9 * hour,
	}
	on := d.chance(withSources)
	switch w.pace.name {
	case PaceDense:
	case PaceEveryday:
		s.share, s.every, s.changes, s.asks = 0.15, []engine.Millis{4 * hour, 12 * hour, 24 * hour}, 18*hour, 3*day
	case CornerCalendars:
		s.share, s.every, s.changes, s.asks, on = 1, []engine.Millis{15 * minute, 15 * minute, hour}, 30*minute, 5*hour, true
	default:
		on = false
	}
	if !on {
		return nil
	}
	if f := &w.faults; w.opt.Faults == FaultsSwarm || w.opt.Faults == "" {
		f.swarmOf(d, SourceDown, SourceFails, SourceHangs, SourceSlow, SourceForgets, SourceEnds, SourceSilent)
		for _, c := range w.opt.Without {
			f.on[c] = false
		}
	}
	w.repeat(d, sourceDown, s.goDown)
	return s
}

// sourceDown is how far apart two outages of some source are, in the mean.
const sourceDown = 12 * hour

// hit is faults.hit by the sources' own draws.
func (s *sources) hit(c Class, p float64) bool {
	return s.w.faults.hitBy(s.d, c, p)
}

// goDown has a source be away for hours.
func (s *sources) goDown() {
	if len(s.all) > 0 && s.hit(SourceDown, 1) {
		c := s.all[s.d.intn(len(s.all))]
		c.downUntil = s.w.now + s.d.about(4*hour)
	}
}

// heal lets every source be read from now on.
func (s *sources) heal() {
	if s == nil {
		return
	}
	for _, c := range s.all {
		c.downUntil = 0
	}
}

// count is how often a source has said something.
func (s *sources) count() int64 {
	if s == nil {
		return 0
	}
	return int64(len(s.readings))
}

// longest is how long two readings of a source may be apart that could not be
// read, a clock that was hours ahead included.
func (s *sources) longest() engine.Millis {
	if s == nil {
		return 0
	}
	return 27*hour + maxSkew
}

// join gives somebody calendars elsewhere, perhaps: they have ids in common.
func (s *sources) join(p *person) {
	if s == nil || !s.d.chance(s.share) {
		return
	}
	for n := range s.d.between(1, 2) {
		c := &source{
			s: s, p: p, name: fmt.Sprintf("https://calendar.example/%s/%d", p.id, n), kind: pick(s.d, engine.CalendarICS, engine.CalendarGoogle),
			versions: []map[string]*sourced{{}},
		}
		c.pushes = c.kind == engine.CalendarGoogle && s.d.chance(0.7)
		s.byName[c.name] = c
		s.all, p.sources = append(s.all, c), append(p.sources, c)
		s.w.after(s.d.about(s.changes/4), c.change)
	}
	p.asks = &writer{p: p, name: "source", every: s.asks, choose: p.chooseSource}
	p.writers = append(p.writers, p.asks)
	s.w.after(s.d.between(minute, 20*minute), p.asks.next)
}

// now is what the source holds.
func (c *source) now() map[string]*sourced { return c.versions[len(c.versions)-1] }

// change has something happen to the calendar at its source.
func (c *source) change() {
	w, d := c.s.w, c.s.d
	if w.ended {
		return
	}
	next := make(map[string]*sourced, len(c.now())+1)
	for id, e := range c.now() {
		if e.last() > w.wall()-forgotten {
			next[id] = e
		}
	}
	live := c.pick()
	if live == nil || d.chance(w.pace.fresh) {
		c.add(next)
	} else {
		c.alter(next, live)
	}
	c.versions = append(c.versions, next)
	c.notify()
	w.after(d.about(c.s.changes), c.change)
}

// pick draws one that has not ended.
func (c *source) pick() *sourced {
	var from []*sourced
	for _, id := range slices.Sorted(maps.Keys(c.now())) {
		if e := c.now()[id]; e.last() > c.s.w.wall() {
			from = append(from, e)
		}
	}
	if len(from) == 0 {
		return nil
	}
	return from[c.s.d.intn(len(from))]
}

// add puts in an event, a series of them, or one that had been there.
func (c *source) add(next map[string]*sourced) {
	d := c.s.d
	if n := len(c.lost); n > 0 && d.chance(0.15) {
		e := *c.lost[n-1]
		c.lost = c.lost[:n-1]
		c.p.title(d, &e.calEvent)
		next[e.ID] = &e
		return
	}
	c.ids++
	e := &sourced{calEvent: calEvent{CalendarEvent: engine.CalendarEvent{ID: fmt.Sprintf("a%d", c.ids)}, synced: true}}
	c.place(e)
	if !d.chance(0.15) {
		c.p.title(d, &e.calEvent)
		next[e.ID] = e
		return
	}
	for n := range d.between(2, 4) { // a series: each instance is named by it and a number
		x := *e
		x.ID = fmt.Sprintf("%s_%d", e.ID, n+1)
		if x.AllDay {
			x.Date, x.EndDate = x.Date+engine.Date(n), x.EndDate+engine.Date(n)
		} else {
			x.Start, x.End = x.Start+n*day, x.End+n*day
		}
		c.p.title(d, &x.calEvent)
		next[x.ID] = &x
	}
}

// place gives an event a time; some are without a zone.
func (c *source) place(e *sourced) {
	c.p.place(c.s.d, &e.calEvent)
	e.synced, e.floating = true, c.kind == engine.CalendarICS && !e.AllDay && c.s.d.chance(0.15) // Google's have a zone
	if e.floating {
		e.Start, e.End = asWritten(e.Start, c.p.prof.now.loc), asWritten(e.End, c.p.prof.now.loc)
	}
}

// asWritten is what a clock there shows at an instant, as if it were UTC.
func asWritten(at engine.Millis, loc *time.Location) engine.Millis {
	t := time.UnixMilli(at).In(loc)
	_, offset := t.Zone()
	return at + int64(offset)*second
}

// in is the event where the person is.
func (e *sourced) in(loc *time.Location) *calEvent {
	if !e.floating {
		return &e.calEvent
	}
	out := e.calEvent
	out.Start = written(e.Start, loc)
	out.End = max(written(e.End, loc), out.Start)
	return &out
}

// written is when a clock there shows that.
func written(wall engine.Millis, loc *time.Location) engine.Millis {
	t := time.UnixMilli(wall).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc).UnixMilli()
}

// begins is the instant at which an event begins there.
func (e *calEvent) begins(loc *time.Location) engine.Millis {
	if e.AllDay {
		return dayBegins(int64(e.Date), loc)
	}
	return e.Start
}

// alter changes an event, or takes it out.
func (c *source) alter(next map[string]*sourced, live *sourced) {
	d, e := c.s.d, *live
	switch x := d.intn(100); {
	case x < 30:
		c.place(&e)
	case x < 45:
		c.p.title(d, &e.calEvent)
	case x < 52:
		e.End += 10 * minute
	case x < 60:
		e.Location, e.Link = pick(d, "", "Room 7", "Café Łódź"), pick(d, "", "https://meet.example/x1")
	case x < 68:
		e.Response = pick(d, engine.ResponseNone, engine.ResponseAccepted, engine.ResponseDeclined)
	case x < 74:
		e.Free = !e.Free
	case x < 80:
		e.Sync = pick(d, engine.SyncSynced, engine.SyncCanceled)
	case x < 86:
		for id, o := range next { // all of its series
			if seriesOf(id) == seriesOf(e.ID) && o.last() > c.s.w.wall() {
				delete(next, id)
			}
		}
		return
	default:
		delete(next, e.ID)
		c.lost = append(c.lost, live)
		return
	}
	next[e.ID] = &e
}

// notify tells the engine that the calendar has changed, if it asked for that.
// A few notices get lost, and some come twice.
func (c *source) notify() {
	s := c.s
	if c.channel.ID == "" || c.channel.Until < s.w.wall() || s.hit(SourceSilent, 0.2) {
		return
	}
	for range pick(s.d, 1, 1, 1, 2) {
		c.tell(c.channel, c.calendar, s.d.about(5*second), 3)
	}
}

func (c *source) tell(ch engine.Channel, calendar string, in engine.Millis, tries int) {
	w := c.s.w
	w.after(in, func() {
		sent, restored := w.now, w.restored
		c.hurry()
		c.told++
		w.ask(c.p.id, engine.RefreshCalendar{ID: calendar, Told: true, Channel: ch.ID, Token: ch.Token}, "", 0, func(reply engine.Reply, err error) {
			c.answered(err)
			w.digest.reply(c.p.id, reply, err)
			if r, ok := reply.(engine.CalendarReply); ok && restored == w.restored && r.Calendar.ID == calendar {
				c.p.expectRead(c, sent)
			}
			if err != nil && tries > 1 && !errors.Is(err, actors.ErrQuarantined) { // 503: it tries again
				c.tell(ch, calendar, c.s.d.about(5*minute), tries-1)
			}
		})
	})
}

// hurry: somebody wants it to be read at once.
func (c *source) hurry() {
	if c.wanted == 0 || c.askedAt >= c.wanted {
		c.wanted = c.s.w.now
	}
	c.hurried = c.s.w.now
}

// answered: a word of its changes has an answer. One that is lost leaves it open
// whether it was taken, up to now.
func (c *source) answered(err error) {
	if c.told--; errors.Is(err, errLost) {
		c.hurry()
	}
}
