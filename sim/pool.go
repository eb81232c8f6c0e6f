package sim

import (
	"fmt"
	"slices"
	"strings"

	"carillon/actors/provider"
	"carillon/engine"
)

// pool is the numbers that texts come from (S6), as the operators have it in the
// settings and as the auditor follows it in the journal. Not every world has one,
// and it draws for itself: worlds without it are as they were.
type pool struct {
	w    *world
	d    draw
	on   bool
	asks bool     // the carrier can be asked whether a fault is over
	now  []string // of the life under way; no pool: one without a name
	gone []string // that were taken out
	made int
	due  bool // the next life has another one

	of    map[string]string // by person: the number that they are texted from, by the journal
	from  map[string]string // by message: the number that it was begun with
	drawn map[string]string // by pool and person: the number that was drawn
}

// poolStream sets the pool's draws apart from those of the world.
const poolStream = 0x706f6f6c

// newPool draws whether there is one: in a quarter of the worlds that are no
// corner.
func newPool(w *world) *pool {
	l := &pool{w: w, d: newDraw(w.opt.Seed ^ poolStream), now: noPool}
	l.on = l.d.chance(0.25) && !isCorner(w.pace.name) || w.pace.name == CornerPool
	if !l.on {
		return l
	}
	l.of, l.from, l.drawn = map[string]string{}, map[string]string{}, map[string]string{}
	l.asks = l.d.chance(0.5)
	if unnamed := l.d.chance(0.15); !unnamed {
		l.name()
	}
	w.faults.pooled = true
	if still := l.d.chance(0.5); still && w.pace.name == CornerPool {
		for _, c := range holdAll {
			w.faults.on[c] = false
		}
	}
	return l
}

// holdAll are the faults that hold everybody back, or leave it open who was texted:
// every second world of the corner has none of them, so that it can be demanded of
// one number what another one's trouble must not keep it from.
var holdAll = []Class{
	Restore, ClockForward, ClockBack, Suspend, Pause, AccountDown, SlowDisk, Stall, CrashAnywhere, AppendLost, AppendKept, CrashSnapshot,
}

// noPool is the carrier's only number, which has no name.
var noPool = []string{""}

// name gives the first numbers.
func (l *pool) name() {
	l.now = nil
	for range l.d.between(2, 4) {
		l.add()
	}
}

// hit is faults.hit with the pool's own draws.
func (l *pool) hit(c Class, p float64) bool {
	return l.w.faults.hitBy(l.d, c, p)
}

// operators sets the troubles of single numbers going.
func (l *pool) operators() {
	if !l.on {
		return
	}
	w := l.w
	l.every(w.pace.stops/2, NumberDown, func(n *number) {
		n.late = l.d.chance(0.3)
		n.downUntil = w.now + l.d.between(1, pick(l.d, int64(60), 60, 360))*minute
		n.disturbed = w.now
	})
	l.every(w.pace.stops/2, NumberLimited, func(n *number) {
		n.limitedUntil, n.disturbed = w.now+l.d.between(1, 15)*minute, w.now
	})
	l.every(2*w.pace.stops, PoolChanged, func(*number) {
		l.due = true
		w.crash("the settings are changed")
	})
}

func (l *pool) every(mean engine.Millis, c Class, fn func(*number)) {
	l.w.repeat(l.d, mean, func() {
		if n := l.w.carrier.number(pick(l.d, l.now...)); l.hit(c, 1) {
			fn(n)
		}
	})
}

// begin returns the pool of the life that begins: now and then it is another one
// than before.
func (l *pool) begin() []string {
	if !l.on {
		return nil
	}
	if l.w.upSince != 0 && l.hit(PoolChanged, 0.15) || l.due {
		l.due = false
		l.change()
	}
	if l.now[0] == "" {
		return nil
	}
	return slices.Clone(l.now)
}

// change takes a number out, adds one, or brings one back, and lists them in
// another order. Where there was no pool, there is one from then on.
func (l *pool) change() {
	if l.now[0] == "" {
		l.name()
		return
	}
	l.now = slices.Clone(l.now) // the engine of before has the old one
	out := func() {
		i := l.d.intn(len(l.now))
		l.gone = append(l.gone, l.now[i])
		l.now = slices.Delete(l.now, i, i+1)
	}
	switch l.d.intn(4) {
	case 0:
		if len(l.now) > 1 {
			out()
		}
	case 1:
		out()
		l.add()
	case 2:
		if i := l.d.intn(len(l.gone) + 1); i < len(l.gone) {
			l.now = append(l.now, l.gone[i])
			l.gone = slices.Delete(l.gone, i, i+1)
		}
	default:
		if len(l.now) < 5 {
			l.add()
		}
	}
	l.d.r.Shuffle(len(l.now), func(i, j int) { l.now[i], l.now[j] = l.now[j], l.now[i] })
}

func (l *pool) add() {
	l.made++
	l.now = append(l.now, fmt.Sprintf("+1888%03d%04d", l.d.intn(1000), l.made))
}

// sender is the carrier of a process.
func (l *pool) sender(s *sender) provider.Sender {
	if l.asks {
		return askable{s}
	}
	return s
}

// mayBe lists the numbers that somebody may be texted from: the one that they
// were texted from, if it is in the pool, else any.
func (l *pool) mayBe(id string) []string {
	if l.on {
		if at := slices.Index(l.now, l.of[id]); at >= 0 {
			return l.now[at : at+1]
		}
	}
	return l.now
}

// follow holds a record of the journal against S6.
func (l *pool) follow(user string, e engine.Event) {
	if !l.on {
		return
	}
	switch e := e.(type) { //nolint:gochecksumtype // the others have nothing to do with numbers
	case engine.UserErased:
		delete(l.of, user) // who has that id next is somebody else
	case engine.AttemptStarted:
		if l.from[e.MessageID] = e.Sender; !e.Assumed { // what left before a restore, nobody knows
			l.begun(l.w.person(user), user, e)
		}
	case engine.AttemptUncertain:
		l.expect(user, e.ID, e.MessageID, e.LookupAt)
	case engine.LookupDone:
		l.expect(user, e.ID, e.MessageID, e.LookupAt)
	}
}

// begun is S6 for an attempt: it comes from a number of this life's pool, and from
// the person's own as long as that is in it. Who has none yet, or had one that was
// taken out, is drawn one from their id: the same one from the same pool.
func (l *pool) begun(p *person, user string, s engine.AttemptStarted) {
	a, was := l.w.audit, l.of[user]
	l.of[user] = s.Sender
	switch {
	case !slices.Contains(l.now, s.Sender):
		a.fail("sender", p, "message %s comes from %q, and the pool is %v (S6)", s.MessageID, s.Sender, l.now)
	case was == s.Sender:
	case slices.Contains(l.now, was):
		a.fail("sender", p, "message %s comes from %s, and those before it from %s, which is in the pool (S6)", s.MessageID, s.Sender, was)
	default:
		key := l.key() + " " + user
		if before := l.drawn[key]; before != "" && before != s.Sender {
			a.fail("sender", p, "message %s comes from %s, and of the same pool it was %s before (S6)", s.MessageID, s.Sender, before)
		}
		l.drawn[key] = s.Sender
	}
}

// key names the pool, in whatever order its numbers are.
func (l *pool) key() string { return strings.Join(slices.Sorted(slices.Values(l.now)), " ") }

// asked is S6 and S3 for a look-up: it asks for the number that the message was
// handed over from, whether that is in the pool or not; if nobody knows, for any.
func (l *pool) asked(m provider.Message) {
	if from, known := l.from[m.MessageID]; known && from != m.Sender {
		l.w.audit.fail("sender", l.w.person(m.UserID), "the carrier is asked for message %s of %q, and it was handed over from %q (S6)", m.MessageID, m.Sender, from)
	}
}

// lookUpWithin is how late a look-up may be when all is well.
const lookUpWithin = 2 * minute

// expect holds that the carrier is asked for what is uncertain when it is to be,
// whatever has become of its number (S3).
func (l *pool) expect(user, reminder, message string, at engine.Millis) {
	w, planned := l.w, l.w.now
	if at == 0 {
		return
	}
	w.after(max(at-w.wall(), 0)+lookUpWithin, func() {
		r := w.audit.reminder(user, reminder)
		if r == nil || r.Status != engine.StatusUncertain || w.wall() >= r.Deadline || !w.calm(2*lookUpWithin) || w.jumped >= planned || w.restored >= planned {
			return
		}
		if m := &r.Messages[len(r.Messages)-1]; m.ID == message && m.Status == engine.MessageUncertain && m.LookupAt == at {
			w.audit.fail("lookups", w.person(user), "message %s is uncertain, and was to be looked up at %s (S3)", message, rfc3339(at))
		}
	})
}

// manyDrawn is how many people may not be drawn one and the same number: of two
// numbers that is less than one time in a thousand million.
const manyDrawn = 30

// ends holds that people are spread over the pool (S6).
func (l *pool) ends() {
	people, numbers := map[string]int{}, map[string]map[string]bool{}
	for key, number := range l.drawn {
		pool := key[:strings.LastIndexByte(key, ' ')]
		people[pool]++
		if numbers[pool] == nil {
			numbers[pool] = map[string]bool{}
		}
		numbers[pool][number] = true
	}
	for _, pool := range sortedNames(people) {
		if people[pool] >= manyDrawn && len(numbers[pool]) == 1 && strings.Contains(pool, " ") {
			l.w.audit.fail("sender", nil, "all %d people who were drawn a number of %s have the same (S6)", people[pool], pool)
		}
	}
}
