package actors

import (
	"carillon/actors/provider"
	"carillon/engine"
)

// The label values of the counters that rules and dashboards look at. All of
// them show 0 from the start: Prometheus' increase() does not see the first of
// a series that begins at 1.
var (
	planCauses = []engine.Reason{engine.ReasonMidnight, engine.ReasonCatchUp, engine.ReasonCreated, engine.ReasonZone}

	skipReasons = []engine.Reason{
		engine.ReasonRemindersOff, engine.ReasonNotVerified, engine.ReasonNoPhone, engine.ReasonOptedOut,
		engine.ReasonEventCanceled, engine.ReasonEventPending, engine.ReasonAllDay, engine.ReasonLeadPassed,
		engine.ReasonQuietHours, engine.ReasonDailyLimit, engine.ReasonDeclined, engine.ReasonFree,
	}
	cancelReasons = []engine.Reason{
		engine.ReasonRemindersOff, engine.ReasonNotVerified, engine.ReasonNoPhone, engine.ReasonOptedOut,
		engine.ReasonAllDay, engine.ReasonQuietHours, engine.ReasonDailyLimit, engine.ReasonDeclined, engine.ReasonFree,
		engine.ReasonEventDeleted, engine.ReasonEventMoved, engine.ReasonEventMovedPast, engine.ReasonLeadRemoved,
		engine.ReasonStale, engine.ReasonByRequest, engine.ReasonPaused, engine.ReasonDryRun,
		engine.ReasonDuplicateText,
	}
	failReasons = []engine.Reason{
		engine.ReasonOptedOut, engine.ReasonRefused, engine.ReasonUndelivered, engine.ReasonAttemptsUsed, engine.ReasonUncertainExpired,
		engine.ReasonDuplicateText,
	}
	failureCategories = []engine.Category{
		engine.CategoryInvalidNumber, engine.CategoryAccountIssue, engine.CategoryCarrierIssue, engine.CategoryUnreachable,
		engine.CategoryRateLimit, engine.CategoryOptedOut, engine.CategoryFiltered, engine.CategoryContent,
		engine.CategoryInvalidRequest, engine.CategoryExpired, engine.CategoryUnknown,
	}
)

// showZeros makes the series that can come.
func (m *metrics) showZeros() {
	m.reminders.WithLabelValues("scheduled", "")
	m.reminders.WithLabelValues("sent", engine.ReasonAccepted.String())
	m.reminders.WithLabelValues("delivered", engine.ReasonDelivered.String())
	for _, r := range failReasons {
		m.reminders.WithLabelValues("failed", r.String())
	}
	for _, r := range cancelReasons {
		m.reminders.WithLabelValues("cancelled", r.String())
	}
	for _, r := range skipReasons {
		m.skipped.WithLabelValues(r.String())
	}
	for _, c := range planCauses {
		m.planRuns.WithLabelValues(c.String(), "scheduled")
		m.planRuns.WithLabelValues(c.String(), "none")
	}
	for _, outcome := range []string{"accepted", "uncertain", "recorded", "delivered"} {
		m.outcomes.WithLabelValues(outcome, "")
	}
	for _, c := range failureCategories {
		for _, outcome := range []string{"refused", "undelivered", "failed", "cancelled"} {
			m.outcomes.WithLabelValues(outcome, c.String())
		}
	}
	for _, word := range []string{
		engine.KeywordStop, engine.KeywordStart, engine.KeywordHelp, engine.KeywordConfirm, engine.KeywordSnooze, engine.KeywordAgenda, "other",
	} {
		m.texts.WithLabelValues(word)
	}
	for _, by := range []string{"sms", "api"} {
		m.optOuts.WithLabelValues(by)
		m.optIns.WithLabelValues(by)
	}
	m.optOuts.WithLabelValues("carrier")
	for _, o := range engine.ComposeOutcomes() {
		m.composes.WithLabelValues(o.String())
	}
	for _, via := range []engine.Via{engine.ViaTemplate, engine.ViaLLM, engine.ViaCaller} {
		m.composed.WithLabelValues(viaName(via), "GSM-7")
		m.composed.WithLabelValues(viaName(via), "UCS-2")
	}
	m.codes.WithLabelValues("other")
	for _, result := range []string{"found", "absent", "unknown"} {
		m.lookups.WithLabelValues(result)
	}
	for _, k := range []engine.CalendarKind{engine.CalendarICS, engine.CalendarGoogle} {
		m.calendarTime.WithLabelValues(k.String())
		for _, outcome := range append(provider.CalendarProblems(), "ok", engine.ProblemTooMany, engine.ProblemPanic) {
			m.calendarReads.WithLabelValues(k.String(), outcome)
		}
	}
	m.refused.WithLabelValues(ErrOverloaded.code)
	for _, outcome := range []string{"heard", "declined", "busy", "gone", "unheard"} {
		m.notices.WithLabelValues(outcome)
	}
	for _, why := range []string{"expired", "erased", "declined"} {
		m.noticesDropped.WithLabelValues(why)
	}
}
