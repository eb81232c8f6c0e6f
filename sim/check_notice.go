package sim

import (
	"slices"

	"carillon/actors/provider"
	"carillon/engine"
)

// noticeRoad is what a life of the engine has heard of the receiver as a whole.
type noticeRoad struct {
	p        *process
	under    int // posts under way
	away     bool
	failures int           // in a row, of the posts that tried whether it is back
	failedAt engine.Millis // true time of the last one's answer
	awakeAt  engine.Millis // the same, of the time awake
	nextAt   engine.Millis // not to be tried before
	declined int           // posts in a row
	badAt    engine.Millis // when it was, or may have been, away last
	wellAt   engine.Millis // and when it was back
	left     bool          // it has said that it wants nothing any more
	leftAt   engine.Millis // of the time awake
}

// post is one telling.
type post struct {
	stream *noticeStream
	fact   *tiding // nil: nobody knows what it is about
	begun  engine.Millis
}

// posted holds a post against what docs/webhooks.md promises.
func (r *receiver) posted(p *process, n *provider.Notification) *post {
	s := r.stream(n.UserID)
	if n.UserID == "" || n.Notice.Type == engine.NoticeErased {
		s = r.stream(ownStream)
	}
	x := &post{stream: s, begun: r.w.now}
	if x.fact = r.find(s, n); x.fact != nil {
		r.mayBeTold(x.fact)
		r.inOrder(x.fact)
		r.shows(x.fact, n)
		x.fact.tried = true
	}
	if p == r.road.p {
		r.patient(x)
	}
	s.under++
	r.road.under++
	r.book.quiet = 0
	return x
}

func (r *receiver) person(f *tiding) *person { return r.w.person(f.user) }

// find returns the fact that a notice tells: the one of its id, or the first that
// says the same and was not told yet.
func (r *receiver) find(s *noticeStream, n *provider.Notification) *tiding {
	a := r.w.audit
	if first := r.book.byID[n.ID]; first != nil && !first.lost {
		if first.says(n) {
			return first
		}
		for _, f := range s.facts {
			if f.same == first && f.says(n) {
				return f
			}
		}
		a.fail("notice_id", r.person(first), "%s is the id of %s, and %s %s is told under it", n.ID, first, n.Notice.Type, n.UserID)
		return nil
	}
	for s.unnamed < len(s.facts) && s.facts[s.unnamed].id != "" {
		s.unnamed++
	}
	for _, f := range s.facts[s.unnamed:] {
		if f.id != "" || !f.says(n) {
			continue
		}
		if f.id = n.ID; f.same != nil && f.same.id != "" {
			a.fail("notice_id", r.person(f), "%s has the id %s, and had %s", f, f.id, f.same.id)
		}
		r.book.byID[n.ID] = f
		return f
	}
	for _, f := range s.facts {
		if f.says(n) {
			a.fail("notice_id", r.person(f), "%s is told as %s, and was as %s", f, n.ID, f.id)
			return f
		}
	}
	a.fail("notice_true", r.w.person(n.UserID), "%s of %s is told of %s (%+v), and no record says so that is flushed", n.Notice.Type, rfc3339(n.At), n.UserID, n.Notice)
	return nil
}

// mayBeTold holds that nothing is told of who was erased, nothing that is too old,
// and nothing again behind which the place in the log is.
func (r *receiver) mayBeTold(f *tiding) {
	a, w, s := r.w.audit, r.w, f.stream
	if f.seq <= s.erased && w.awake()-s.erasedAt > pauseGrace {
		a.fail("notice_erased", r.person(f), "%s is told, and record %d has erased the person (N6)", f, s.erased)
	}
	if age := w.wall() - f.at; age > r.keep+5*minute && w.calm(10*minute) {
		a.fail("notice_told", r.person(f), "%s is told, and it is %d hours old", f, age/hour)
	}
	if f.heard && f.seq <= r.book.noted && f.seq > s.again {
		a.fail("notice_again", r.person(f), "%s is told again, and everything up to record %d had been for half a minute", f, r.book.noted)
	}
}

// inOrder holds that a stream's notices are told one after another: each when the
// receiver has acknowledged those before it.
func (r *receiver) inOrder(f *tiding) {
	a, s := r.w.audit, f.stream
	if s.under > 0 {
		a.fail("notice_order", r.person(f), "%s is told while another one of %s is", f, s.name)
	}
	for ; s.settled < f.n; s.settled++ {
		if g := s.facts[s.settled]; !g.heard && !r.excused(g) {
			a.fail("notice_order", r.person(f), "%s is told before %s was taken", f, g)
			return
		}
		r.pass(s.facts[s.settled]) // if it was not heard, nobody tells it any more
	}
}

// shows holds the reminder in a notice against the journal: it is as it stands.
func (r *receiver) shows(f *tiding, n *provider.Notification) {
	a, w, v, id := r.w.audit, r.w, n.Reminder, f.notice.ReminderID
	if v == nil && id == "" {
		return
	}
	switch {
	case v == nil:
	case v.ID != id:
		a.fail("notice_true", r.person(f), "%s shows the reminder %s", f, v.ID)
		return
	case v.UpdatedAt > a.shadowAt[f.user] && w.jumped == 0 && w.restored == 0:
		a.fail("notice_true", r.person(f), "%s shows what was decided at %s, and the journal is flushed up to %s (W1)", f, rfc3339(v.UpdatedAt), rfc3339(a.shadowAt[f.user]))
	}
	u := a.shadow[f.user]
	if u == nil || !u.Exists || w.awake()-f.stream.flushed <= pauseGrace {
		return // what it is about may just have changed
	}
	i := slices.IndexFunc(u.Reminders, func(o *engine.Reminder) bool { return o.ID == id })
	switch {
	case i < 0 && v == nil:
	case i < 0 || v == nil:
		a.fail("notice_true", r.person(f), "%s is told with a reminder: %v, and the journal has it: %v", f, v != nil, i >= 0)
	default:
		if o := u.Reminders[i]; v.Status != o.Status || v.Reason != o.Reason || v.Due != o.Due || len(v.Messages) != len(o.Messages) {
			a.fail("notice_true", r.person(f), "%s shows a reminder that is %s (%s), and the journal has it %s (%s)", f, v.Status, v.Reason, o.Status, o.Reason)
		}
	}
}

// pauses are how long a stream waits that was declined so often in a row.
var pauses = [...]engine.Millis{
	5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
}

// patient holds that the receiver is not asked more than it can bear.
func (r *receiver) patient(x *post) {
	a, w, s, road := r.w.audit, r.w, x.stream, &r.road
	if road.under >= r.atOnce {
		a.fail("notice_patience", nil, "%d posts at a time, and %d may be", road.under+1, r.atOnce)
	}
	if x.fact != nil && x.fact == s.waits && road.badAt < s.declinedAt && w.jumped < s.declinedAt {
		if d := pauses[min(s.declines, len(pauses))-1]; w.now < s.declinedAt+d-d/10 {
			a.fail("notice_patience", w.person(s.name), "%s is tried %d s after it was declined %d times", s.name, (w.now-s.declinedAt)/second, s.declines)
		}
	}
	grace := pauseGrace // until the engine has heard of it
	if w.disturbed < road.failedAt-minute {
		grace = 100
	}
	switch {
	case road.left && w.awake()-road.leftAt > pauseGrace:
		a.fail("notice_patience", nil, "a post to a receiver that has said that it is gone")
	case !road.away || w.awake()-road.awakeAt <= grace || w.jumped >= road.failedAt:
	case road.under > 0:
		a.fail("notice_patience", nil, "two posts at a time to a receiver that is away")
	case w.now < road.nextAt:
		a.fail("notice_patience", nil, "a receiver that is away is tried %d ms before it is time to", road.nextAt-w.now)
	}
}

// answered notes what the engine has heard.
func (r *receiver) answered(x *post, out answer) {
	road, s, f, w := &r.road, x.stream, x.fact, r.w
	s.under--
	road.under--
	if out.panics {
		out.Hearing = provider.Hearing{Kind: provider.Declined}
	}
	if f != nil {
		r.hears(f, out.Kind == provider.Heard)
	}
	if s.held && out.Kind == provider.Heard {
		s.freed = w.now
	}
	s.held = out.Kind != provider.Heard
	s.refused, s.took = s.refused || s.held, 0
	switch out.Kind {
	case provider.Heard:
		s.took = w.now
		if road.away || road.declined >= 5 {
			road.wellAt = w.now
		}
		road.away, road.failures, road.declined, s.waits = false, 0, 0, nil
		return
	case provider.Gone:
		road.left, road.leftAt, r.leftIn = true, w.awake(), road.p
		r.restart(road.p)
	case provider.Declined:
		if f != nil {
			f.refused++
		}
		if road.declined++; road.declined < 5 && !road.away {
			s.refuses(f, w.now)
			return
		}
		if !road.away { // five in a row: it may be taken for away
			road.badAt = w.now
			return
		}
	case provider.Busy, provider.Unheard:
	}
	road.fails(x, out, w)
}

// refuses notes that a notice was declined: its stream waits.
func (s *noticeStream) refuses(f *tiding, now engine.Millis) {
	if f != s.waits {
		s.waits, s.declines = f, 0
	}
	s.declines, s.declinedAt = s.declines+1, now
}

// hears notes whether the engine knows that a notice was taken. One that is told
// again is to be heard again.
func (r *receiver) hears(f *tiding, yes bool) {
	b := &r.book
	if f.heard != yes && !f.passed {
		b.unheard += map[bool]int{true: -1, false: 1}[yes]
	}
	f.heard = yes
	if yes && b.unheard == 0 && r.road.under == 0 {
		b.quiet = r.w.now
	}
}

// fails notes that the road is bad: it is tried after a second, and twice as long
// each time, up to five minutes; or when the receiver has asked for it.
func (road *noticeRoad) fails(x *post, out answer, w *world) {
	road.badAt = w.now
	if road.away && x.begun < road.nextAt && out.Kind != provider.Busy {
		return // it was under way
	}
	pause := 5 * minute
	if road.failures < 9 {
		pause = min(second<<road.failures, pause)
	}
	if out.Kind == provider.Busy && out.RetryAfter > 0 {
		pause = min(out.RetryAfter, hour)
	}
	road.away, road.failures, road.failedAt, road.awakeAt = true, road.failures+1, w.now, w.awake()
	road.nextAt = w.now + pause
}

// restart has somebody notice that nothing is posted any more.
func (r *receiver) restart(p *process) {
	w := r.w
	w.after(w.d.about(2*hour), func() {
		if !p.dead {
			w.dying = "started anew for a receiver that is back"
		}
	})
}

// overdueAfter is how soon what happened is told, or tried to be, when all is well
// and the receiver takes notices.
const overdueAfter = 10 * minute

// waitsItsTurn reports whether a stream may be held back, or was so until a moment
// ago: then its notices come one after another.
func (s *noticeStream) waitsItsTurn(now engine.Millis) bool {
	return s.held || s.freed > now-overdueAfter
}

// overdue looks at what has waited long enough to have been told: a person's
// notice that is declined holds nobody else's up.
func (r *receiver) overdue() {
	b, w, road := &r.book, r.w, &r.road
	for len(b.recent) > 0 && b.recent[0].flushed < w.now-overdueAfter {
		f := b.recent[0]
		b.recent = b.recent[1:]
		if f.tried || road.away || road.left || max(road.badAt, road.wellAt) > f.flushed-2*hour || b.unheard > 200 || !w.calm(2*overdueAfter) || r.excused(f) || f.stream.waitsItsTurn(w.now) {
			continue
		}
		w.audit.fail("notice_told", r.person(f), "%s was flushed at %s, and is not tried to be told", f, rfc3339(f.flushed))
	}
}

// refused: the carrier's answer says that it refuses our account. That the sender
// is stopped is noted, to be told.
func (r *receiver) refused() {
	if r == nil {
		return
	}
	w, p, since := r.w, r.w.proc, r.w.awake()
	w.after(2*minute, func() {
		if w.proc == p && p != nil && w.awake()-since > minute && r.book.stopped != p {
			w.audit.fail("notice_told", nil, "the carrier has refused the account, and no record is there to tell of it (S5)")
		}
	})
}

// hearOut gives what waits the time that it may take: a stream that was declined
// often waits for a day and a tenth, whatever the clock has done since.
func (r *receiver) hearOut() {
	if r == nil {
		return
	}
	for n := 0; n < 28 && !r.w.over && len(r.untold()) > 0; n++ {
		r.w.run(r.w.now + hour)
	}
}

// untold lists what is to be told, and was not: at least once is what is promised.
func (r *receiver) untold() (out []*tiding) {
	if r.book.unheard == 0 {
		return nil
	}
	for _, name := range sortedNames(r.book.streams) {
		s := r.book.streams[name]
		for _, f := range s.facts[s.settled:] {
			if !f.heard && !r.excused(f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// ends holds what was told against what has become of everything.
func (r *receiver) ends() {
	if r == nil {
		return
	}
	a := r.w.audit
	for _, f := range r.untold() {
		a.fail("notice_told", r.person(f), "%s of %s was never taken, and the receiver has been well since %s", f, rfc3339(f.at), rfc3339(r.w.healedAt))
	}
	for _, e := range r.book.erasures {
		if e.first == nil {
			a.fail("notice_told", r.w.person(e.user), "record %d has erased %s, and none is there to tell of it (N6)", e.seq, e.user)
		}
	}
	for _, p := range r.w.people {
		if u, s := a.shadow[p.id], r.book.streams[p.id]; u != nil && s != nil {
			s.ended(a, p, u)
		}
	}
}

// ended holds that how a reminder ended is one of the things that were to be told
// since it was planned last.
func (s *noticeStream) ended(a *audit, p *person, u *engine.User) {
	since := map[string][]engine.NoticeType{}
	for _, f := range s.facts {
		id := f.notice.ReminderID
		if f.notice.Type == engine.NoticeScheduled {
			since[id] = nil
		}
		since[id] = append(since[id], f.notice.Type)
	}
	word := map[engine.ReminderStatus]engine.NoticeType{
		engine.StatusSent: "reminder.sent", engine.StatusDelivered: "reminder.delivered", engine.StatusFailed: "reminder.failed", engine.StatusCanceled: "reminder.cancelled",
	}
	for _, r := range u.Reminders {
		if end := word[r.Status]; end != "" && !slices.Contains(since[r.ID], end) {
			a.fail("notice_told", p, "reminder %s is %s, and what is told of it since it was planned is %v", r.ID, r.Status, since[r.ID])
		}
	}
}
