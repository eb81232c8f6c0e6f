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

// TestLookUpOfOneThatAnotherWasTakenFor: two of the same words are with the carrier
// when the clock goes back, and both answers are lost. The look-up of the second finds
// the first; the first's has to find the second, which the carrier has hours before (S3).
func TestLookUpOfOneThatAnotherWasTakenFor(t *testing.T) {
	for name, c := range map[string]struct {
		words string // of the second
		back  engine.Millis
		finds bool
	}{
		"the same words":            {words: "Water the plants", back: 7 * 3_600_000, finds: true},
		"other words":               {words: "Feed the cat", back: 7 * 3_600_000},
		"the clock did not go back": {words: "Water the plants"},
	} {
		t.Run(name, func(t *testing.T) {
			s := reached(t)
			s.now += 12 * 3_600_000
			begun := s.now
			var messages []*engine.Outgoing
			for _, text := range []string{"Water the plants", c.words} {
				r := s.decide(engine.CreateReminder{Text: text, SendAt: s.now}).Reply.(engine.ReminderReply).Reminder.ID
				messages = append(messages, s.decide(engine.HandOver{ReminderID: r}).Reply.(engine.HandOverReply).Message)
			}
			s.decide(engine.RecordOutcome{MessageID: messages[0].MessageID, Kind: engine.OutcomeUncertain})
			s.now -= c.back
			missed := s.now
			s.decide(engine.RecordOutcome{MessageID: messages[1].MessageID, Kind: engine.OutcomeUncertain})
			s.decide(engine.RecordSighting{MessageID: messages[1].MessageID, Kind: engine.SightingFound, SID: "SM1", Status: engine.MessageDelivered})
			s.now = begun + 60_000
			want := begun
			if c.finds {
				want = missed
			}
			if since := s.lookUp(t).Since; since != want {
				t.Errorf("the look-up begins %d ms behind %d", since-want, want)
			}
		})
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
