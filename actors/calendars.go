package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/actors/provider"
	"carillon/engine"
)

// calendars is the actor that has followed calendars read (SPEC 9).
//
//	ReadCalendar → queue → Read at the source → RecordCalendar → flush → done
//
// What is to be read is derived from the users' states: after a crash it is
// asked for again, and reading a calendar twice changes nothing.
//
// Nobody waits for a reading. While the disk is low none is begun, and what has
// been read is kept here until there is room to record it (W3).
type calendars struct {
	node   *Node
	self   *actor.PID
	ctx    context.Context // ends with the node
	cancel context.CancelFunc

	queue   []engine.ReadCalendar // in the order in which they were asked for
	known   map[string]bool       // queued, under way, or not recorded yet
	read    []calendarAnswered    // to be recorded
	running int
	held    bool
}

// maxQueuedCalendars is how many calendars wait here, after hours without
// service say. The others are offered again in a minute.
const maxQueuedCalendars = 10_000

// The messages of calendars, besides []engine.Effect.
type (
	// calendarAnswered: the source has answered, or has not.
	calendarAnswered struct {
		effect engine.ReadCalendar
		begun  engine.Millis
		out    provider.CalendarReading
		err    error
		took   time.Duration
	}
	// calendarRecorded: what it said is flushed.
	calendarRecorded struct{ key string }
	// diskHasRoom: it was low.
	diskHasRoom struct{}
	// holdCalendars begins nothing any more.
	holdCalendars struct{}
)

func newCalendars(n *Node) *calendars {
	c := &calendars{node: n, known: map[string]bool{}, held: n.cfg.Still}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Receive implements actor.Actor.
func (c *calendars) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.self = ctx.Self()
	case *actor.Stopped, holdCalendars:
		c.held = true
		c.cancel()
	case []engine.Effect:
		c.takeIn(m)
	case calendarAnswered:
		c.read = append(c.read, m)
	case calendarRecorded:
		delete(c.known, m.key)
		c.running--
	}
	if !c.node.lowSpace.Load() {
		c.work()
	}
	c.node.view.calendarsQueued.Store(int64(len(c.queue)))
}

// work has recorded what was read, and begins what may begin.
func (c *calendars) work() {
	for _, m := range c.read {
		c.answered(m)
	}
	c.read = nil
	for len(c.queue) > 0 && !c.held && c.running < c.node.cfg.MaxCalendarReads {
		c.begin(c.queue[0])
		c.queue[0] = engine.ReadCalendar{}
		if c.queue = c.queue[1:]; len(c.queue) == 0 {
			c.queue = nil
		}
	}
}

func (c *calendars) takeIn(effects []engine.Effect) {
	for _, e := range effects {
		if e, ok := e.(engine.ReadCalendar); ok && !c.known[e.Key()] && len(c.queue) < maxQueuedCalendars {
			c.known[e.Key()] = true
			c.queue = append(c.queue, e)
		}
	}
}

func (c *calendars) begin(e engine.ReadCalendar) {
	c.running++
	n := c.node
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, n.cfg.CalendarTimeout)
		defer cancel()
		begun, took := n.cfg.Clock.Now(), stopwatch()
		out, err := n.readCalendar(ctx, e, begun)
		n.send(c.self, calendarAnswered{e, begun, out, err, took()})
	})
}

// readCalendar asks the source; a panic there, over what somebody wrote into a
// calendar, is a failure like any other.
func (n *Node) readCalendar(ctx context.Context, e engine.ReadCalendar, now engine.Millis) (out provider.CalendarReading, err error) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("reading a calendar panicked", slog.String("calendar_id", e.Calendar.ID))
			err = &provider.CalendarError{Problem: engine.ProblemPanic, Cause: "reading it panicked"}
		}
	}()
	zone, err := n.zones.Load(e.Zone)
	if err != nil {
		return out, &provider.CalendarError{Problem: engine.ProblemPanic, Cause: "the zone can't be loaded"}
	}
	return n.cfg.Calendars.Read(ctx, provider.CalendarQuery{
		UserID: e.UserID, Calendar: e.Calendar, Zone: zone, Now: now, Start: e.Start, End: e.End,
	})
}

// answered has the user keep what the calendar says.
func (c *calendars) answered(m calendarAnswered) {
	n := c.node
	if c.held {
		return // the next start asks again
	}
	cmd := engine.RecordCalendar{
		ID: m.effect.Calendar.ID, ConnectedAt: m.effect.Calendar.ConnectedAt, BegunAt: m.begun, Zone: m.effect.Zone,
		Whole: m.out.Whole, Start: m.effect.Start, End: m.effect.End, Events: m.out.Events, Gone: m.out.Gone,
		Cursor: m.out.Cursor, Channel: m.out.Channel,
	}
	if m.err != nil {
		failed, ok := errors.AsType[*provider.CalendarError](m.err)
		if !ok {
			failed = &provider.CalendarError{Problem: engine.ProblemPanic, Cause: "an error without a kind"}
		}
		cmd.Problem, cmd.Cause, cmd.Final, cmd.RetryAfter = failed.Problem, failed.Cause, failed.Final, failed.RetryAfter
		n.log.Warn("a calendar can't be read", slog.String("user_id", m.effect.UserID), slog.String("calendar_id", cmd.ID),
			slog.String("problem", cmd.Problem), slog.String("cause", cmd.Cause))
	}
	n.metrics.calendarTime.WithLabelValues(m.effect.Calendar.Kind.String()).Observe(m.took.Seconds())
	key := m.effect.Key()
	n.toUser(m.effect.UserID, &request{cmd: cmd, deliver: func(reply engine.Reply, _ error) {
		if r, ok := reply.(engine.CalendarReply); ok { // else it was disconnected meanwhile
			n.metrics.calendarReads.WithLabelValues(r.Calendar.Kind.String(), readOutcome(r.Calendar.Problem)).Inc()
		}
		n.send(c.self, calendarRecorded{key})
	}})
}

func readOutcome(problem string) string {
	if problem == "" {
		return "ok"
	}
	return problem
}
