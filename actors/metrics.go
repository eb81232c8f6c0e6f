package actors

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/engine"
	"carillon/engine/sms"
	"carillon/wal"
)

// metrics are the node's collectors (SPEC 12). What they count is counted when
// it is durable. Labels are closed sets: never a user or a number.
type metrics struct {
	reminders   *prometheus.CounterVec
	skipped     *prometheus.CounterVec
	planRuns    *prometheus.CounterVec
	lastPlan    prometheus.Gauge
	planTime    prometheus.Histogram
	postponed   prometheus.Counter
	limitHits   prometheus.Counter
	fuse        prometheus.Counter
	texts       *prometheus.CounterVec
	optOuts     *prometheus.CounterVec
	optIns      *prometheus.CounterVec
	outcomes    *prometheus.CounterVec
	delivery    prometheus.Histogram
	composed    *prometheus.CounterVec
	composes    *prometheus.CounterVec
	composeCost prometheus.Counter
	composeTime prometheus.Histogram
	lateness    prometheus.Histogram
	handOver    prometheus.Histogram
	lookups     *prometheus.CounterVec
	uncertain   prometheus.Gauge
	commit      prometheus.Histogram
	batch       prometheus.Histogram
	bytes       prometheus.Counter
	recovery    prometheus.Gauge
	actors      prometheus.Gauge
	atRest      prometheus.Gauge
	restarts    prometheus.Counter
	quarantined prometheus.Counter
	lost        prometheus.Counter
	refused     *prometheus.CounterVec
	snapshots   prometheus.Counter
	lowSpace    prometheus.Gauge

	notices        *prometheus.CounterVec
	noticesDropped *prometheus.CounterVec
	noticeTime     prometheus.Histogram
	noticeGaps     prometheus.Counter

	calendarReads *prometheus.CounterVec
	calendarTime  *prometheus.HistogramVec

	segments    *prometheus.CounterVec
	codes       *prometheus.CounterVec
	known       map[int]bool // codes that have a series; the journal's turn alone looks at it
	unreachable prometheus.Gauge

	// Those of every reminder are looked up once.
	scheduled, accepted, sent prometheus.Counter
	written                   map[writing]prometheus.Counter // the journal's turn alone looks at it
}

// writing is how a text was made.
type writing struct {
	via      engine.Via
	encoding sms.Encoding
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := factory{reg}
	m := &metrics{
		reminders:   f.counters("reminders_total", "Reminders that reached a status, by status and reason.", "status", "reason"),
		skipped:     f.counters("reminders_skipped_total", "Leads of events that made no reminder, by reason.", "reason"),
		planRuns:    f.counters("plan_runs_total", "Day plans made, by cause and whether anything was scheduled.", "cause", "outcome"),
		lastPlan:    f.gauge("plan_last_run_timestamp_seconds", "When the last day plan ran; 0 if none did since the start."),
		planTime:    f.histogram("plan_run_duration_seconds", "How long deciding on a day plan took; the flush is not in it.", .00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1),
		postponed:   f.counter("quiet_postponed_total", "Reminders moved out of quiet hours when they were due."),
		limitHits:   f.counter("daily_limit_hits_total", "Reminders held back by a daily limit."),
		fuse:        f.counter("fuse_blown_total", "Hand-overs that the fuse stopped: the number had that text twice on that day already."),
		texts:       f.counters("texts_received_total", "Texts from people, by keyword; other is any other text.", "keyword"),
		optOuts:     f.counters("opt_outs_total", "Opt-outs, by where they came from.", "by"),
		optIns:      f.counters("opt_ins_total", "Opt-ins, by where they came from.", "by"),
		outcomes:    f.counters("carrier_outcomes_total", "What became of messages at the carrier, by outcome and failure category.", "outcome", "category"),
		delivery:    f.histogram("delivery_duration_seconds", "From a hand-over to the report of its delivery.", 1, 2, 5, 10, 30, 60, 300, 1800, 7200),
		composed:    f.counters("messages_composed_total", "Texts made for a hand-over, by what wrote them and encoding.", "via", "encoding"),
		composes:    f.counters("composer_outcomes_total", "What came of asking the composer for a text ahead of the send, by outcome; ok is a text that may be sent.", "outcome"),
		composeCost: f.counter("composer_cost_usd_total", "What the composer has cost, in US dollars, by returned usage and the price table."),
		composeTime: f.histogram("composer_duration_seconds", "How long the composer took for a text; no reminder waits for it.", .05, .1, .25, .5, 1, 2, 3, 5, 8, 15, 30),
		lateness:    f.histogram("hand_over_lateness_seconds", "Beginning of a hand-over minus when it was due.", .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 900),
		handOver:    f.histogram("hand_over_duration_seconds", "How long calls to the carrier took.", .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20),
		lookups:     f.counters("carrier_lookups_total", "Look-ups of messages at the carrier, by result.", "result"),
		uncertain:   f.gauge("messages_uncertain", "Messages of which nobody knows whether the carrier has them, of users in memory."),
		commit:      f.histogram("journal_commit_duration_seconds", "Writing and flushing one batch.", .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1),
		batch:       f.histogram("journal_batch_records", "Records in one batch.", 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000),
		bytes:       f.counter("journal_bytes_total", "Bytes of payload written to the journal."),
		recovery:    f.gauge("recovery_duration_seconds", "How long the last start took to bring the state back."),
		actors:      f.gauge("actors_alive", "User actors in memory."),
		atRest:      f.gauge("actors_at_rest", "User actors in memory that have nothing to do: their state is in their snapshots."),
		restarts:    f.counter("actor_restarts_total", "User actors restarted after a panic."),
		quarantined: f.counter("commands_quarantined_total", "Commands put aside because they failed twice."),
		lost:        f.counter("users_unreadable_total", "Users that could not be loaded from the journal."),
		refused:     f.counters("requests_refused_total", "Requests refused at the door, by code.", "code"),
		snapshots:   f.counter("snapshots_total", "Snapshots written."),
		lowSpace:    f.gauge("disk_low", "1 while writes are refused because the disk is nearly full."),

		notices:        f.counters("webhooks_total", "Tries to tell the webhook receiver something, by outcome; heard is a 2xx.", "outcome"),
		noticesDropped: f.counters("webhooks_dropped_total", "Webhooks that will not be told, by reason: expired, the person erased, or declined too often.", "reason"),
		noticeTime:     f.histogram("webhook_duration_seconds", "How long the webhook receiver took to answer.", .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20),
		noticeGaps:     f.counter("webhook_gaps_total", "Times that the journal no longer reached back to the first webhook that was not told."),

		calendarReads: f.counters("calendar_reads_total", "Readings of connected calendars, by kind and outcome; ok is one that worked.", "kind", "outcome"),
		calendarTime:  f.histograms("calendar_read_duration_seconds", "How long reading a connected calendar took, by kind.", []string{"kind"}, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30),

		segments:    f.counters("sender_segments_total", "Message segments handed over, by the number or service they come from; empty is the carrier's only one.", "sender"),
		codes:       f.counters("carrier_errors_total", "Messages that were refused or lost, by the carrier's own code; other is any beyond the first hundred codes.", "code"),
		known:       map[int]bool{},
		written:     map[writing]prometheus.Counter{},
		unreachable: f.gauge("carrier_unreachable", "1 while the carrier can't be connected to."),
	}
	m.showZeros()
	m.scheduled = m.reminders.WithLabelValues("scheduled", "")
	m.sent = m.reminders.WithLabelValues("sent", engine.ReasonAccepted.String())
	m.accepted = m.outcomes.WithLabelValues("accepted", "")
	return m
}

// factory makes and registers collectors; two of a name are a mistake of ours.
type factory struct{ reg prometheus.Registerer }

const namespace = "carillon"

func (f factory) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	f.reg.MustRegister(c)
	return c
}

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.reg.MustRegister(c)
	return c
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	f.reg.MustRegister(g)
	return g
}

func (f factory) histograms(name, help string, labels []string, buckets ...float64) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	f.reg.MustRegister(h)
	return h
}

func (f factory) histogram(name, help string, buckets ...float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	f.reg.MustRegister(h)
	return h
}

// gaugeFunc registers gauges that are read when somebody asks.
func (f factory) gaugeFunc(name, help string, read func() float64) {
	f.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, read))
}

// watch registers what the node shows without being told.
func (n *Node) watch() {
	f := factory{n.cfg.Metrics}
	f.gaugeFunc("ready", "1 while requests are taken.", func() float64 { ready, _ := n.Ready(); return flag(ready) })
	f.gaugeFunc("users", "Users known, in memory or not.", func() float64 { return float64(n.table.users()) })
	f.gaugeFunc("timers_pending", "Users with a wake ahead.", func() float64 { return float64(n.view.timers.Load()) })
	f.gaugeFunc("users_waking", "Users that are being woken.", func() float64 { return float64(n.view.due.Load()) })
	f.gaugeFunc("requests_in_flight", "Requests taken and not answered yet.", func() float64 { return float64(n.inFlight.Load()) })
	f.gaugeFunc("outbox_queued", "Reminders that are due and wait for the sender.", func() float64 { return float64(n.view.queued.Load()) })
	f.gaugeFunc("outbox_sending", "Hand-overs under way.", func() float64 { return float64(n.view.sending.Load()) })
	f.gaugeFunc("sending_paused", "1 while sending is paused for everybody.", func() float64 { return flag(n.paused.Load()) })
	for _, s := range n.view.senders {
		n.watchSender(s)
	}
	f.gaugeFunc("calendars_queued", "Connected calendars that wait to be read.", func() float64 { return float64(n.view.calendarsQueued.Load()) })
	f.gaugeFunc("composer_budget_usd", "What the composer may cost on a UTC day; 0 is no limit.", func() float64 { return float64(n.cfg.ComposeBudget) / 1e6 })
	f.gaugeFunc("composer_spent_usd", "What counts against the composer's budget of this UTC day.", func() float64 { return float64(n.view.composerSpent.Load()) / 1e6 })
	f.gaugeFunc("composer_breaker_open", "1 while the composer is not asked because it failed too often.", func() float64 { return flag(n.breakerOpen()) })
	f.gaugeFunc("snapshots_behind_seconds", "How long records have waited for a round of snapshots that lacks nobody; 0 if none wait.", func() float64 {
		since := n.view.uncovered.Load()
		if since == 0 {
			return 0
		}
		return float64(max(n.cfg.Clock.Now()-since, 0)) / 1000
	})
	n.watchHerald(f)
	f.gaugeFunc("mailbox_depth", "Messages in the mailbox of the journal.", func() float64 { return float64(n.journalMail.UserMessageCount()) })
}

// watchSender registers what a sender shows. The label is one of ours, and there
// are as many as the settings name.
func (n *Node) watchSender(s *senderView) {
	gauge := func(name, help string, read func() float64) {
		n.cfg.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: name, Help: help, ConstLabels: prometheus.Labels{"sender": s.name},
		}, read))
	}
	gauge("sender_stopped", "1 while the sender is stopped by a fault of its account.", func() float64 { return flag(s.stopped.Load() != nil) })
	gauge("sender_queued", "Reminders that are due and wait for this sender.", func() float64 { return float64(s.queued.Load()) })
	gauge("sender_sending", "Hand-overs of this sender that the carrier has not answered.", func() float64 { return float64(s.sending.Load()) })
	gauge("sender_window", "Hand-overs of this sender that may be under way at a time; a rate limit halves it.", func() float64 { return float64(s.window.Load()) })
	n.metrics.segments.WithLabelValues(s.name)
}

func (m *metrics) committed(entries []wal.Entry, took time.Duration) {
	m.commit.Observe(took.Seconds())
	m.batch.Observe(float64(len(entries)))
	n := 0
	for i := range entries {
		n += len(entries[i].Data)
	}
	m.bytes.Add(float64(n))
}

func (m *metrics) handedOver(took time.Duration) {
	m.handOver.Observe(took.Seconds())
}

// decided times a decision that made a day plan, if it was watched.
func (m *metrics) decided(events []engine.Event, took func() time.Duration) {
	if took == nil {
		return
	}
	for _, e := range events {
		if _, ok := e.(engine.PlanRan); ok {
			m.planTime.Observe(took().Seconds())
			return
		}
	}
}

// seen is what the node has to know of durable events.
type seen struct{ erased, planned bool }

// observe counts durable events.
func (m *metrics) observe(events []engine.Event, at engine.Millis) (s seen) {
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // the others are counted by none
		case engine.PlanRan:
			m.planRan(e, at)
			s.planned = true
		case engine.ReminderPlanned:
			m.scheduled.Inc()
		case engine.ReminderSkipped:
			m.skipped.WithLabelValues(e.Reason.String()).Inc()
			m.limitHit(e.Reason)
		case engine.ReminderCanceled:
			m.reminders.WithLabelValues("cancelled", e.Reason.String()).Inc()
			m.limitHit(e.Reason)
			m.blown(e.Reason)
		case engine.ReminderMoved:
			if e.Reason == engine.ReasonQuietHours {
				m.postponed.Inc()
			}
		case engine.ReminderFailed:
			m.reminders.WithLabelValues("failed", e.Reason.String()).Inc()
			m.blown(e.Reason)
		case engine.AttemptStarted:
			m.wrote(e)
		case engine.MessageAccepted:
			m.accepted.Inc()
			m.sent.Inc()
			if e.Status == engine.MessageDelivered { // a look-up found it there already
				m.outcomes.WithLabelValues("delivered", "").Inc()
			}
		case engine.AttemptUncertain:
			if e.Reason != engine.ReasonRestored { // assumed after a restore: nothing was handed over
				m.outcomes.WithLabelValues("uncertain", "").Inc()
			}
		case engine.MessageRecorded:
			m.outcomes.WithLabelValues("recorded", "").Inc()
			m.reminders.WithLabelValues("cancelled", engine.ReasonDryRun.String()).Inc()
		case engine.MessageRefused:
			if e.NotMade {
				continue // the carrier has not said anything
			}
			m.outcomes.WithLabelValues("refused", e.Failure.Category.String()).Inc()
			m.coded(e.Failure)
		case engine.MessageReported:
			m.reported(e)
		case engine.ConsentChanged:
			m.consent(e)
		case engine.InboundReceived:
			m.texts.WithLabelValues(cmp.Or(e.Keyword, "other")).Inc()
		case engine.UserErased:
			s.erased = true
		}
	}
	return s
}

func (m *metrics) wrote(e engine.AttemptStarted) {
	c := m.written[writing{e.Via, e.Encoding}]
	if c == nil {
		c = m.composed.WithLabelValues(viaName(e.Via), e.Encoding.String())
		m.written[writing{e.Via, e.Encoding}] = c
	}
	c.Inc()
}

func (m *metrics) planRan(e engine.PlanRan, at engine.Millis) {
	outcome := "scheduled"
	if e.Scheduled == 0 {
		outcome = "none"
	}
	m.planRuns.WithLabelValues(e.Cause.String(), outcome).Inc()
	m.lastPlan.Set(float64(at) / 1000)
}

func (m *metrics) limitHit(why engine.Reason) {
	if why == engine.ReasonDailyLimit {
		m.limitHits.Inc()
	}
}

func (m *metrics) blown(why engine.Reason) {
	if why == engine.ReasonDuplicateText {
		m.fuse.Inc()
	}
}

func (m *metrics) reported(e engine.MessageReported) {
	switch e.Status { //nolint:exhaustive // the others are steps on the way
	case engine.MessageDelivered:
		m.outcomes.WithLabelValues("delivered", "").Inc()
	case engine.MessageUndelivered, engine.MessageFailed, engine.MessageCanceled:
		m.outcomes.WithLabelValues(e.Status.String(), e.Failure.Category.String()).Inc()
		m.coded(e.Failure)
	}
}

// coded counts a failure by its code (S5): codes that the table does not know
// among them, so a bound keeps the series few whatever the carrier says.
func (m *metrics) coded(f engine.Failure) {
	const most = 100
	switch {
	case f.Code == 0:
		return
	case !m.known[f.Code] && len(m.known) >= most:
		m.codes.WithLabelValues("other").Inc()
		return
	}
	m.known[f.Code] = true
	m.codes.WithLabelValues(strconv.Itoa(f.Code)).Inc()
}

// report is what a carrier's word about a message means beyond the event that
// says it: the state knows the message's sender and its reminder, and when it
// was handed over.
type report struct {
	sender    string
	failure   engine.Failure
	took      engine.Millis // from the hand-over to its delivery; 0: it is not one
	delivered bool          // with it the reminder reached delivered
}

// reportsOf finds the reports in events that were applied to st just now.
func reportsOf(st *engine.User, events []engine.Event, now engine.Millis) (told []report) {
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // the others are no word of the carrier
		case engine.MessageReported:
			told = append(told, reportOf(st, e.ID, e.MessageID, e.Failure, now))
		case engine.MessageRefused: // an older message of it may have arrived (D2)
			told = append(told, reportOf(st, e.ID, e.MessageID, engine.Failure{}, now))
		case engine.MessageAccepted:
			if e.Status == engine.MessageDelivered {
				told = append(told, reportOf(st, e.ID, e.MessageID, engine.Failure{}, now))
			}
		}
	}
	return told
}

// reportOf counts a reminder as delivered with the report that made it so: on
// its last message, or on an older one when the last was lost. Later news of
// another message do not count it again (D2).
func reportOf(st *engine.User, reminderID, messageID string, f engine.Failure, now engine.Millis) report {
	out := report{failure: f}
	for _, r := range slices.Backward(st.Reminders) {
		if r.ID != reminderID {
			continue
		}
		for j := range r.Messages {
			m := &r.Messages[j]
			if m.ID != messageID {
				continue
			}
			out.sender = m.Sender
			if m.Status == engine.MessageDelivered && m.DeliveredAt == now {
				out.took = max(now-m.CreatedAt, 1)
			}
			out.delivered = r.Status == engine.StatusDelivered && r.DeliveredAt == now &&
				(j == len(r.Messages)-1 || r.Messages[len(r.Messages)-1].Status != engine.MessageDelivered)
		}
		return out
	}
	return out
}

// told counts durable reports.
func (m *metrics) told(all []report) {
	for _, r := range all {
		if r.took > 0 {
			m.delivery.Observe(float64(r.took) / 1000)
		}
		if r.delivered {
			m.reminders.WithLabelValues("delivered", engine.ReasonDelivered.String()).Inc()
		}
	}
}

func (m *metrics) consent(e engine.ConsentChanged) {
	if e.OptedOut {
		m.optOuts.WithLabelValues(e.By).Inc()
	} else {
		m.optIns.WithLabelValues(e.By).Inc()
	}
}

func viaName(v engine.Via) string {
	switch v {
	case engine.ViaLLM:
		return "llm"
	case engine.ViaCaller:
		return "caller"
	case engine.ViaTemplate:
	}
	return "template"
}
