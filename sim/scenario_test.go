//go:build !race

package sim

import (
	"slices"
	"testing"
	"time"

	"carillon/engine"
)

// scenario is a trouble that the system which carillon replaces did not
// survive (docs/seed-defects.md): the production engine lives through it, alone
// and often, and the auditor finds nothing to say.
type scenario struct {
	name     string
	troubles []Class
	at       time.Time // when it begins; zero: drawn
	policy   func(*engine.Policy)
	pace     string
}

// clocks change in Los Angeles and all over America on that night, and in
// Europe on the other.
var (
	springForward = time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	fallBack      = time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
	noMidnight    = time.Date(2026, 9, 4, 12, 0, 0, 0, time.UTC) // Santiago's, the night after next
)

var scenarios = []scenario{
	{name: "S1 S2 S10 S11 midnights are each person's own", at: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
	{name: "S3 D24 the process dies between deciding and storing", troubles: []Class{AppendLost}},
	{name: "S3 D4 the process dies between storing and telling", troubles: []Class{AppendKept}},
	{name: "S4 S6 S8 changes race for the daily limit", troubles: []Class{Stall, RepeatCommand}},
	{name: "S7 the clock jumps over midnight and back", troubles: []Class{ClockForward, ClockBack}},
	{name: "S13 D12 the machine sleeps over midnight and over events", troubles: []Class{Suspend}},
	{name: "S17 D5 the same request is carried twice", troubles: []Class{RepeatCommand}},
	{name: "Q1 Q6 quiet hours end in the hour that is missing", at: springForward},
	{name: "Q1 Q7 quiet hours in the hour that comes twice", at: fallBack},
	{name: "S19 S20 a day without a midnight", at: noMidnight},
	{name: "Q2 Q3 D12 sending is paused past quiet hours and starts", troubles: []Class{Pause, AccountDown}},
	{name: "D2 D3 refusals are retried in time, and three times at most", troubles: []Class{Refused, RateLimited}},
	{name: "D4 the answer to a hand-over is lost", troubles: []Class{AnswerLost, RequestLost, ServerError}},
	{name: "D4 D8 the process dies in a hand-over", troubles: []Class{CrashAnywhere, SlowAnswer}},
	{name: "D4 nobody knows, and hold means never again", troubles: []Class{AnswerLost, RequestLost}, policy: func(p *engine.Policy) { p.OnUncertain = engine.Hold }},
	{name: "D6 D7 a hand-over hangs and is not begun again beside it", troubles: []Class{Hang, SlowAnswer}},
	{name: "D8 the process dies in snapshots, compactions and erasures", troubles: []Class{CrashSnapshot}},
	{name: "D10 W12 STOP comes twice, and just before a reminder", troubles: []Class{TextTwice}},
	{name: "D13 a cancel races a send", troubles: []Class{SlowAnswer, AnswerLost}},
	{name: "D20 bursts at a slow carrier", troubles: []Class{RateLimited, SlowCarrier}},
	{name: "D24 a command panics", troubles: []Class{ActorPanic, SenderPanic}},
	{name: "W3 W4 losses that are reported later are retried three times at most", troubles: []Class{Undelivered}},
	{name: "W5 reports are forged", troubles: []Class{CallbackForged}},
	{name: "W6 W8 reports come late, twice and out of order", troubles: []Class{CallbackLate, CallbackTwice}},
	{name: "W7 reports come before the answer", troubles: []Class{StatusFirst, SlowAnswer, AnswerLost}},
	{name: "W9 reports get lost, and the carrier is asked", troubles: []Class{CallbackLost, NoNews, FindDown, FindLags}},
	{name: "C1 C7 what was true before comes again", troubles: []Class{StaleVersion}},
	{name: "G1 G6 a language model lies and obeys titles", troubles: []Class{ComposerLies, ComposerInjects}},
	{name: "G7 a language model hangs and fails", troubles: []Class{ComposerHangs, ComposerFails}},
	{name: "the disk is slow, and full", troubles: []Class{SlowDisk, DiskFull}},
	{name: "a receiver of webhooks declines, hangs and goes away", troubles: []Class{NoticeDeclined, NoticeLost, NoticeHangs, ReceiverDown, ReceiverBusy, ReceiverGone}, pace: CornerNotices},
	{name: "the store is lost and restored from a backup", troubles: []Class{Restore}},
	{name: "numbers of a pool are refused, slowed and changed", troubles: []Class{NumberDown, NumberLimited, PoolChanged}},
}

// TestScenarios plays each with as many seeds as it takes for every trouble of
// it to come.
func TestScenarios(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			left := slices.Clone(s.troubles)
			for seed := uint64(1); len(left) > 0 || seed <= 2; seed++ {
				opt := Options{Seed: seed, Users: 4, Days: 3, Faults: FaultsAll, Policy: s.policy, Pace: s.pace, at: s.at}
				for c := range classCount {
					if !slices.Contains(s.troubles, c) {
						opt.Without = append(opt.Without, c)
					}
				}
				r := play(t, opt)
				sound(t, &r)
				left = slices.DeleteFunc(left, func(c Class) bool { return r.Faults[c.String()] > 0 })
				if seed == 30 {
					t.Fatalf("%v never came in 30 seeds", left)
				}
			}
		})
	}
}

// TestShrink: of a run that fails, a smaller one is found that fails alike.
func TestShrink(t *testing.T) {
	opt := Options{Seed: 5, Faults: FaultsAll, Users: 6, Days: 4}
	opt.sabotage.twice = true
	r := play(t, opt)
	found(t, &r, "once")
	r.Violations = slices.DeleteFunc(r.Violations, func(v Violation) bool { return v.Checker != "once" })
	small := Shrink(&r, 60)
	if len(small.Without) < int(classCount)/2 || small.Users >= 6 || small.Days >= 4 {
		t.Errorf("not much smaller: %s", small.Command())
	}
	again := play(t, small)
	found(t, &again, "once")
}
