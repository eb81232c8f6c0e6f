package providertest_test

import (
	"sync/atomic"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/providertest"
	"carillon/engine"
)

const start = engine.Millis(1_796_000_000_000)

var steps = map[providertest.Trouble]providertest.Step{
	providertest.NoTrouble: providertest.Accept,
	providertest.Refusal: providertest.Refuse(engine.Failure{
		Code: 7, Category: engine.CategoryInvalidNumber, Message: "no such number",
	}),
	providertest.Throttled: providertest.Refuse(engine.Failure{
		Category: engine.CategoryRateLimit, Retry: engine.RetryYes, Message: "too fast",
	}),
	providertest.AnswerLost:  providertest.AcceptAndLose,
	providertest.RequestLost: providertest.Lose,
	providertest.NoAnswer:    providertest.HangAccepted,
	providertest.AccountRefuse: providertest.Refuse(engine.Failure{
		Category: engine.CategoryAccountIssue, Message: "bad key",
	}),
}

func TestSenderConforms(t *testing.T) {
	providertest.RunSender(t, func(*testing.T) providertest.World {
		var clock atomic.Int64
		clock.Store(start)
		s := providertest.NewSender(clock.Load)
		return providertest.World{
			Sender: s,
			Arrange: func(tr providertest.Trouble) (string, bool) {
				s.Script(steps[tr])
				return "+15551230000", true
			},
			Accepted: func(to, text string) (n int) {
				for _, x := range s.Sent() {
					if x.To == to && x.Text == text {
						n++
					}
				}
				return n
			},
			Creates: s.CreatesOf, Now: clock.Load, Advance: func(d engine.Millis) { clock.Add(d) }, Blind: s.Blind,
		}
	})
}

func TestVerifierConforms(t *testing.T) {
	providertest.RunVerifier(t, func(*testing.T) providertest.VerifierWorld {
		var clock atomic.Int64
		clock.Store(start)
		v := providertest.NewVerifier(clock.Load)
		w := providertest.VerifierWorld{
			Verifier: v, Phone: "+15551230000", Refused: "+15551230001", Flooded: "+15551230002", Account: "+15551230003",
			Code: v.Code, Advance: func(d engine.Millis) { clock.Add(d) },
		}
		v.FailFor(w.Refused, provider.ErrNumberRefused)
		v.FailFor(w.Flooded, provider.ErrVerifyRateLimited)
		v.FailFor(w.Account, &provider.VerifyError{Failure: engine.Failure{
			Code: 1, Category: engine.CategoryAccountIssue, Message: "bad key",
		}})
		return w
	})
}
