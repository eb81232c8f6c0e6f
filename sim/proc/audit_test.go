//go:build linux

package proc

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// scene is a ledger with one text that was asked for, and a book.
type scene struct {
	l    *ledger
	p    *person
	c    *claim
	book []entry
	at   int64
}

func newScene(k kind) *scene {
	s := &scene{l: newLedger(), at: 1_000_000}
	s.p = s.l.newPerson(k, time.UnixMilli(s.at))
	s.c = s.claim()
	return s
}

func (s *scene) claim() *claim {
	c := s.l.claim(s.p, s.at, s.at+30_000)
	c.custom, c.acked = true, true
	s.p.customs = append(s.p.customs, c)
	return c
}

func (s *scene) take(c *claim, after int64) *scene {
	sid := fmt.Sprintf("SM%d", len(s.book))
	s.book = append(s.book, entry{At: s.at + after, Kind: accepted, SID: sid, To: s.p.number, Body: "Text " + c.token})
	return s
}

func (s *scene) move(status string) *scene {
	s.book = append(s.book, entry{Kind: moved, SID: s.book[len(s.book)-1].SID, Status: status})
	return s
}

// judge returns the checkers that spoke up.
func (s *scene) judge(shown ...reminder) (names []string) {
	a := newAuditor(s.l, func(checker, _ string, _ ...any) { names = append(names, checker) })
	a.judge(s.book)
	if shown != nil {
		a.ends(s.p, shown)
	}
	return names
}

// TestAuditor: each checker sees what it is there for, and nothing where all
// is well.
func TestAuditor(t *testing.T) {
	for name, test := range map[string]struct {
		kind  kind
		stage func(*scene)
		shown func(*scene) []reminder
		want  []string
	}{
		"all is well":            {stage: func(s *scene) { s.take(s.c, 10).move("delivered") }},
		"twice":                  {stage: func(s *scene) { s.take(s.c, 10).take(s.c, 20) }, want: []string{"twice"}},
		"again though delivered": {stage: func(s *scene) { s.take(s.c, 10).move("delivered").take(s.c, 20) }, want: []string{"twice"}},
		"again, it was lost":     {stage: func(s *scene) { s.take(s.c, 10).move("undelivered").take(s.c, 20) }},
		"a fourth": {stage: func(s *scene) {
			s.take(s.c, 1).move("failed").take(s.c, 2).move("failed").take(s.c, 3).move("failed").take(s.c, 4)
		}, want: []string{"hand_overs"}},
		"nobody asked":            {stage: func(s *scene) { s.take(&claim{token: "K9K"}, 10) }, want: []string{"asked_for"}},
		"another's number":        {stage: func(s *scene) { s.take(s.c, 10).book[0].To = "+15550000000" }, want: []string{"asked_for"}},
		"early":                   {stage: func(s *scene) { s.take(s.c, -1000) }, want: []string{"on_time"}},
		"late":                    {stage: func(s *scene) { s.take(s.c, 30_000+onTheWay+1) }, want: []string{"on_time"}},
		"shown cancelled":         {stage: func(s *scene) { s.c.canceled = s.at; s.take(s.c, 10) }, want: []string{"cancelled"}},
		"event moved":             {stage: func(s *scene) { s.c.withdrawn = s.at; s.take(s.c, onTheWay+1) }, want: []string{"withdrawn"}},
		"event moved meanwhile":   {stage: func(s *scene) { s.c.withdrawn = s.at; s.take(s.c, 10) }},
		"erased":                  {stage: func(s *scene) { s.p.erased = s.at; s.take(s.c, onTheWay+1) }, want: []string{"erased"}},
		"opted out":               {stage: func(s *scene) { s.p.out = []span{{from: s.at}}; s.take(s.c, onTheWay+1) }, want: []string{"consent"}},
		"opted in again":          {stage: func(s *scene) { s.p.out = []span{{from: s.at, to: s.at + onTheWay}}; s.take(s.c, onTheWay+1) }},
		"quiet":                   {kind: quiet, stage: func(s *scene) { s.p.hush = []span{{from: 1, strict: true}}; s.take(s.c, 10) }, want: []string{"quiet_hours"}},
		"limit":                   {kind: limited, stage: func(s *scene) { s.take(s.c, 1).take(s.claim(), 2).take(s.claim(), 3).take(s.claim(), 4) }, want: []string{"limit"}},
		"limit kept, one retried": {kind: limited, stage: func(s *scene) { s.take(s.c, 1).move("failed").take(s.c, 2).take(s.claim(), 3).take(s.claim(), 4) }},
		"not over": {
			stage: func(*scene) {}, want: []string{"end"},
			shown: func(s *scene) []reminder { return []reminder{{Status: "uncertain", Text: s.c.token}} },
		},
		"there twice": {
			stage: func(*scene) {}, want: []string{"once"},
			shown: func(s *scene) []reminder {
				r := reminder{Status: "cancelled", Text: s.c.token}
				return []reminder{r, r}
			},
		},
		"gone":                     {stage: func(*scene) {}, want: []string{"once"}, shown: func(*scene) []reminder { return []reminder{} }},
		"accepted, shown as stale": {stage: func(s *scene) { s.take(s.c, 10) }, want: []string{"shown"}, shown: showing("cancelled")},
		"accepted, shown sent":     {stage: func(s *scene) { s.take(s.c, 10) }, shown: showing("sent")},
		"shown sent, never had":    {stage: func(*scene) {}, want: []string{"shown"}, shown: showing("sent")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(test.kind)
			test.stage(s)
			var shown []reminder
			if test.shown != nil {
				shown = test.shown(s)
			}
			if got := s.judge(shown...); !slices.Equal(got, test.want) {
				t.Errorf("checkers %q, want %q", got, test.want)
			}
		})
	}
}

func showing(status string) func(*scene) []reminder {
	return func(s *scene) []reminder { return []reminder{{Status: status, Text: s.c.token}} }
}
