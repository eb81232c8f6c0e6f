package sim

import (
	"slices"
	"time"

	"carillon/engine"
)

// often is how often something comes that a corner has more of.
type often struct {
	backups, restores engine.Millis // between two, in the mean
	expires           float64       // of custom reminders, those that say until when
	ahead             int64         // hours at most to when a custom reminder is wanted
	jumps, stops      engine.Millis // of the wall clock; suspends, pauses and faults of the account
	longDown          float64       // of crashes, those after which the service is down for long
	allDay            float64       // of an event's times
	zones             int           // of a hundred changes of a profile
	limits            float64       // of them, those of the limit, which nobody else has more of
	answers           float64       // of an event's changes, those of whether it is wanted and confirmed, which nobody else has more of
	leaps             float64       // of hand-overs, those during which the wall clock goes back, and of lost ones those behind which it goes ahead
	naps              float64       // of calls to the carrier, those before which the machine falls asleep
	snooze            int64         // minutes at most
	undelivered       float64       // of accepted messages
	slowCarrier       float64
	slowest           int64 // minutes in a slow carrier's queue
	callbackLost      float64
	callbackLate      float64
	callbackTwice     float64
	answerLost        float64
	requestLost       float64
	slowAnswer        float64
	refused           float64
	unreachable       float64 // of hand-overs, those that are refused for a while, which nobody else has more of
	rateLimited       float64
	findLags          float64
	takenBack         bool          // a loss is reported again, or taken back
	longLags          bool          // as long as two look-ups allow, and not a word by callback
	stalls            float64       // of an actor's turns
	slowDisk          float64       // of flushes
	held              engine.Millis // the longest stall or slow flush
	watched           bool          // people look when something is due and when they have written
	compared          bool          // and, of what was sent before it, minutes behind a restore: the next one has it forgotten
}

// usual is how often they come elsewhere.
var usual = often{
	backups: 10 * hour, ahead: 20, expires: 0.3, restores: 60 * hour, jumps: 30 * hour, stops: 20 * hour, longDown: 0.2, allDay: 0.12, zones: 15, snooze: 90,
	undelivered: 0.1, slowCarrier: 0.05, slowest: 360, callbackLost: 0.15, callbackLate: 0.1, callbackTwice: 0.1, answerLost: 0.05, rateLimited: 0.04,
	requestLost: 0.05, slowAnswer: 0.1, refused: 0.05, findLags: 0.3, stalls: 0.000_8, slowDisk: 0.001, held: maxStall,
}

// The corners: small worlds in which what meets rarely elsewhere meets in every
// seed.
const (
	CornerRestores  = "restores"  // backups and restores every few hours, among retries, send-nows and custom reminders
	CornerLosses    = "losses"    // hardly a message gets there at once, and news of it are lost, late and taken back
	CornerStops     = "stops"     // the service stands still for an hour again and again, and events have four leads
	CornerTravel    = "travel"    // zones change every few hours, around all-day events and SNOOZEs
	CornerReads     = "reads"     // people look at what is due and at what they wrote, while flushes and actors are slow
	CornerRetries   = "retries"   // most hand-overs are refused, and while they wait limits change and stores are restored
	CornerAnswers   = "answers"   // invitations are declined while their events are not confirmed yet
	CornerOutruns   = "outruns"   // a retry comes behind the later lead of its event, and then the store is lost
	CornerEchoes    = "echoes"    // requests are lost, and what is uncertain is snoozed for a minute: the same words again
	CornerPool      = "pool"      // many people are texted from a few numbers, each with troubles of its own, and the pool changes
	CornerNotices   = "notices"   // a receiver of webhooks with troubles, among restores, erasures and replies
	CornerCalendars = "calendars" // everybody connects calendars, which change and fail all the time
	CornerClocks    = "clocks"    // the wall clock goes back during hand-overs whose answers are lost, or ahead behind them
)

// Corners lists those that seeds draw.
var Corners = []string{CornerRestores, CornerLosses, CornerStops, CornerTravel, CornerReads, CornerRetries}

// Named lists the corners that are played only by name: each is about one
// mistake, and seeds that drew them would play less of everything else.
var Named = []string{CornerEchoes, CornerClocks, CornerPool, CornerNotices, CornerCalendars, CornerAnswers, CornerOutruns}

// cornerOf is which of the dense worlds a seed is. It draws for itself: what
// the other seeds play does not depend on it.
func cornerOf(seed uint64) string {
	d := newDraw(seed ^ 0x636f726e6572)
	if d.chance(0.5) {
		return PaceDense
	}
	return pick(d, Corners...)
}

// corner makes a dense world the corner of that name.
func (p *pace) corner(name string) {
	if !isCorner(name) {
		return
	}
	p.name, p.days, p.fresh = name, min(p.days, 5), 0.5
	switch name {
	case CornerRestores:
		p.backups, p.restores, p.jumps, p.crashes = 45*minute, 4*hour, 10*hour, 1
		p.callbackTwice, p.expires = 0.9, 0.9
		p.custom, p.ahead, p.replies, p.undelivered, p.slowCarrier, p.slowest = 40*minute, 2, 9*hour, 0.35, 0.3, 60
	case CornerLosses:
		p.custom, p.undelivered, p.slowCarrier, p.slowest, p.callbackLost, p.callbackLate = 3*hour, 0.5, 0.2, 40, 0.4, 0.3
		p.callbackTwice, p.answerLost, p.rateLimited, p.findLags, p.longLags, p.takenBack, p.looks = 0.3, 0.15, 0.15, 0.7, true, true, hour
	case CornerStops:
		p.stops, p.longDown, p.crashes, p.naps = 6*hour, 0.8, 1, 0.01
	case CornerTravel:
		p.profile, p.replies, p.allDay, p.zones, p.snooze, p.crashes = 2*hour, 40*minute, 0.7, 70, 720, 1
	case CornerReads:
		p.users, p.looks, p.crashes = p.users+4, 2*hour, 0.3
		p.stalls, p.slowDisk, p.held, p.watched = 0.12, 0.1, 3*second, true
	case CornerRetries:
		p.profile, p.limits, p.custom, p.ahead, p.expires, p.looks = 20*minute, 0.6, 40*minute, 1, 0.9, hour
		p.backups, p.restores, p.refused, p.rateLimited, p.undelivered, p.crashes, p.calendar = 8*minute, 3*hour, 0.3, 0.15, 0.4, 1, 30*minute
	case CornerAnswers:
		p.users, p.days, p.calendar, p.fresh, p.answers, p.looks, p.crashes = min(p.users+3, 8), min(p.days, 3), 20*minute, 0.25, 0.6, hour, 1
	case CornerOutruns:
		p.users, p.days, p.calendar, p.fresh, p.looks, p.crashes = p.users+4, 2, 25*minute, 0.8, 2*hour, 1
		p.unreachable, p.backups, p.restores, p.jumps, p.compared = 0.6, 4*minute, 40*minute, 60*hour, true
	case CornerEchoes:
		p.custom, p.ahead, p.expires, p.replies, p.snooze = 30*minute, 1, 0.9, 8*minute, 2
		p.requestLost, p.slowAnswer, p.looks, p.crashes = 0.3, 0.6, 2*hour, 1
		p.users, p.days = min(p.users, 5), min(p.days, 3)
	case CornerPool:
		p.users, p.calendar, p.custom, p.profile = p.users+30, 4*hour, 6*hour, 3*day
		p.backups, p.restores, p.stops, p.crashes, p.callbackLost = 4*hour, 24*hour, 8*hour, 1, 0.4
	case CornerNotices:
		p.users, p.profile, p.replies, p.consent, p.crashes = p.users+4, 5*hour, 3*hour, 10*hour, 1
		p.backups, p.restores = 3*hour, 24*hour
	case CornerCalendars:
		p.looks, p.crashes = 2*hour, 1
		p.users, p.days = min(p.users, 6), min(p.days, 3)
	case CornerClocks:
		p.jumps, p.leaps, p.answerLost, p.slowAnswer, p.findLags, p.callbackLost = 2*hour, 0.3, 0.4, 0.6, 0.8, 0.8
		p.custom, p.ahead, p.expires = hour, 3, 0.9
	}
}

// without are the fault classes that would make a corner's checkers silent.
func (p *pace) without() []Class {
	switch p.name {
	case CornerStops:
		return []Class{Restore, ClockForward, ClockBack}
	case CornerLosses: // by a clock that jumps nobody knows when it was to be asked; behind a restore nobody knows who was to be asked
		return []Class{ClockForward, ClockBack, Restore}
	case CornerClocks: // by a clock that jumped since the backup nobody knows what was due
		return []Class{Restore}
	case CornerReads:
		return []Class{Restore, ClockForward, ClockBack, Suspend, Pause, AccountDown, RateLimited}
	}
	return nil
}

// isCorner reports whether a pace is one of them.
func isCorner(name string) bool {
	return slices.Contains(Corners, name) || slices.Contains(Named, name)
}

// corner has the engine meet what a corner is for.
func (s *shape) corner(name string) {
	switch name {
	case CornerRestores:
		s.policy.RetryBase, s.policy.ConfirmFor = min(s.policy.RetryBase, minute), max(s.policy.ConfirmFor, 24*hour)
	case CornerReads:
		s.maxSends, s.mps, s.maxWakes, s.idle = 64, 0, 1, 3*time.Hour
	case CornerRetries:
		s.policy.RetryBase = 10 * minute
	case CornerOutruns: // a lead of 15 minutes that fails once is tried again at three or so
		s.policy.RetryBase = 12 * minute
	}
}

// corner gives somebody what a corner is about.
func (q *profile) corner(name string) {
	switch name {
	case CornerStops:
		q.leads = []int32{1, 15, 30, 120}
	case CornerTravel:
		q.limit, q.quiet = 100, engine.Quiet{}
		if q.allDayAt == engine.NoAllDay {
			q.allDayAt = 540
		}
	case CornerRestores, CornerLosses, CornerEchoes, CornerClocks, CornerPool, CornerCalendars, CornerAnswers: // so that many texts leave
		q.limit, q.quiet = 100, engine.Quiet{}
	case CornerOutruns:
		q.leads, q.limit, q.quiet = []int32{5, 15}, 100, engine.Quiet{}
	case CornerRetries: // one lead is due while another one waits
		q.leads, q.limit, q.quiet = []int32{1, 5, 15, 30}, 100, engine.Quiet{}
	case CornerReads:
		q.limit = 100
	}
}
