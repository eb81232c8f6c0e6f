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
		if since := s.lookUp(t).Since; since > missed {
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
			s.now += 60_000 // behind somebody's birth: it is not looked for further back
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

// TestALookUpGoesADayBack: nobody knows by how much our clock is ahead of the
// carrier's, so that a message whose answer was lost is looked for a day further
// back, but not where the carrier may have one of the same words that is another,
// and whose id is not known (S3).
func TestALookUpGoesADayBack(t *testing.T) {
	const minute, hour = engine.Millis(60_000), engine.Millis(3_600_000)
	lost := engine.RecordOutcome{Kind: engine.OutcomeUncertain}
	for name, c := range map[string]struct {
		born  engine.Millis // how long before it the person was made
		ranOn engine.Millis // and the store was restored; 0: it was not
		// Of another message: its words, how long before, and what the carrier answered
		// and what look-ups found.
		words   string
		before  engine.Millis
		outcome *engine.RecordOutcome
		found   []engine.RecordSighting
		crash   bool // the process died in the hand-over
		back    engine.Millis
	}{
		"nothing else is known":      {born: 72 * hour, back: 24 * hour},
		"the process died":           {born: 72 * hour, crash: true, back: 24 * hour},
		"they were made since":       {born: 3 * hour, back: 3*hour - 10*minute},
		"they were made just before": {born: minute, back: 0},
		"the store was restored":     {born: 72 * hour, ranOn: 5 * hour, back: 5*hour - 10*minute},
		"other words":                {born: 72 * hour, words: "Feed the cat", before: 2 * hour, outcome: &lost, back: 24 * hour},
		"it got there":               {born: 72 * hour, words: "Water the plants", before: 2 * hour, outcome: &engine.RecordOutcome{Kind: engine.OutcomeAccepted, SID: "SM1"}, back: 24 * hour},
		"a carrier without ids":      {born: 72 * hour, words: "Water the plants", before: 2 * hour, outcome: &engine.RecordOutcome{Kind: engine.OutcomeAccepted}, back: 2*hour - 10*minute},
		"it was refused": {
			born: 72 * hour, words: "Water the plants", before: 2 * hour, back: 24 * hour,
			outcome: &engine.RecordOutcome{Kind: engine.OutcomeRefused, Failure: engine.Failure{Category: engine.CategoryInvalidNumber, Retry: engine.RetryNever}},
		},
		"it was refused, nobody knows why": {
			born: 72 * hour, words: "Water the plants", before: 2 * hour, back: 2*hour - 10*minute,
			outcome: &engine.RecordOutcome{Kind: engine.OutcomeRefused, Failure: engine.Failure{Category: engine.CategoryUnknown, Retry: engine.RetryNever}},
		},
		"nobody knows what became of it": {born: 72 * hour, words: "Water the plants", before: 2 * hour, outcome: &lost, back: 2*hour - 10*minute},
		"the same, a moment before":      {born: 72 * hour, words: "Water the plants", before: 7 * minute, outcome: &lost, back: 0},
		"the same, and met anyway":       {born: 72 * hour, words: "Water the plants", before: 4 * minute, outcome: &lost, back: 24 * hour},
		"it was found": {
			born: 72 * hour, words: "Water the plants", before: 2 * hour, outcome: &lost, back: 24 * hour,
			found: []engine.RecordSighting{{Kind: engine.SightingFound, SID: "SM1"}},
		},
		"it was absent twice": {
			born: 72 * hour, words: "Water the plants", before: 2 * hour, outcome: &lost, back: 24 * hour,
			found: []engine.RecordSighting{{Kind: engine.SightingAbsent}, {Kind: engine.SightingAbsent}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := reached(t)
			s.policy.ReconcileAfter, s.policy.ConfirmAfter = minute/4, 0
			begun := s.now + c.born
			if c.ranOn != 0 {
				s.ranOn = begun - c.ranOn
			}
			hand := func(text string, at engine.Millis) string {
				s.now = at
				r := s.decide(engine.CreateReminder{Text: text, SendAt: s.now, ExpiresAt: s.now + minute}).Reply.(engine.ReminderReply).Reminder.ID
				return s.decide(engine.HandOver{ReminderID: r}).Reply.(engine.HandOverReply).Message.MessageID
			}
			if c.words != "" {
				other := hand(c.words, begun-c.before)
				c.outcome.MessageID = other
				s.decide(*c.outcome)
				for _, found := range c.found {
					s.now += minute / 4
					found.MessageID = other
					s.decide(found)
				}
			}
			id := hand("Water the plants", begun)
			if c.crash {
				s.decide(engine.Recover{})
			} else {
				s.decide(engine.RecordOutcome{MessageID: id, Kind: engine.OutcomeUncertain})
			}
			s.now += minute / 2
			if back := begun - s.lookUp(t).Since; back != c.back {
				t.Errorf("it is looked for %d minutes back, want %d", back/minute, c.back/minute)
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
