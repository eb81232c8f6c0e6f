package engine_test

import (
	"testing"

	"carillon/engine"
)

// TestLookUpBeginsWhereAClockWentBackTo: a clock that ran ahead is put right
// during a hand-over. The carrier has the message hours before its beginning
// here, and a look-up must go as far back, the second one too (S3).
func TestLookUpBeginsWhereAClockWentBackTo(t *testing.T) {
	s := reached(t)
	s.now += 12 * 3_600_000 // an evening: it goes back within the day
	r := s.decide(engine.CreateReminder{Text: "Water the plants", SendAt: s.now}).Reply.(engine.ReminderReply).Reminder.ID
	m := s.decide(engine.HandOver{ReminderID: r}).Reply.(engine.HandOverReply).Message
	s.now -= 7 * 3_600_000
	missed := s.now
	s.decide(engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeUncertain})
	for range 2 {
		s.now += 3_600_000
		if since := s.lookUp(t).Since; since != missed {
			t.Errorf("the look-up begins %d ms behind what was missed", since-missed)
		}
		s.decide(engine.RecordSighting{MessageID: m.MessageID, Kind: engine.SightingUnknown})
	}
}

// TestLookUpBehindACrashAndAClockThatWentBack: the clock is put right during a
// hand-over, the process ends in it, and nobody runs for a while. What the start
// finds is younger than the message by then, and the look-up must go back
// further than that (S3).
func TestLookUpBehindACrashAndAClockThatWentBack(t *testing.T) {
	s := reached(t)
	s.now += 12 * 3_600_000
	r := s.decide(engine.CreateReminder{Text: "Water the plants", SendAt: s.now}).Reply.(engine.ReminderReply).Reminder.ID
	s.decide(engine.HandOver{ReminderID: r})
	s.now -= 7 * 3_600_000
	accepted := s.now
	s.now += 2 * 3_600_000
	s.decide(engine.Recover{})
	s.now += 3_600_000
	if since := s.lookUp(t).Since; since > accepted {
		t.Errorf("the look-up begins %d ms behind the message", since-accepted)
	}
}

// lookUp is the one look-up that a wake owes.
func (s *story) lookUp(t *testing.T) (l engine.LookUp) {
	t.Helper()
	n := 0
	for _, e := range s.decide(engine.Wake{}).Effects {
		if e, ok := e.(engine.LookUp); ok {
			l = e
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d look-ups, want one", n)
	}
	return l
}
