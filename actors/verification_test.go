package actors_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// mute is a Verifier that takes every start.
type mute struct{ provider.Verifier }

func (mute) Start(context.Context, string) error { return nil }

// N2: five starts an hour for a number, whoever asks.
func TestManyUsersCannotFloodOneNumber(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Verifier = mute{} }, func(w *world) {
		start := func(id string) engine.Reply {
			w.do(id, engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
			reply, err := w.node.StartVerification(context.Background(), id, "+15550100009", "", 0)
			if err != nil {
				t.Fatal(err)
			}
			return reply
		}
		for i := range 5 {
			if r, refused := start(fmt.Sprint("u", i)).(engine.Refusal); refused {
				t.Fatalf("start %d: %+v", i+1, r)
			}
			w.pass(time.Minute)
		}
		r, refused := start("u5").(engine.Refusal)
		if !refused || r.Kind != engine.RefusedTooMany || r.RetryAfter != 55*60_000 {
			t.Fatalf("the sixth: %+v", r)
		}
		w.pass(55*time.Minute + time.Second)
		if r, refused := start("u5").(engine.Refusal); refused {
			t.Errorf("an hour after the first: %+v", r)
		}
	})
}

// broken is a Verifier whose account is refused.
type broken struct{ provider.Verifier }

func (broken) Start(context.Context, string) error {
	return &provider.VerifyError{Failure: engine.Failure{Code: 20003, Category: engine.CategoryAccountIssue, Message: "authentication"}}
}

// Wrong credentials of ours are no mistake of the person who asks for a code.
func TestOurCredentialsAreNotTheUsersMistake(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Verifier = broken{} }, func(w *world) {
		w.do("ada", engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
		reply, err := w.node.StartVerification(context.Background(), "ada", "+15550100001", "", 0)
		if !errors.Is(err, actors.ErrVerifier) || reply != nil {
			t.Fatalf("reply %+v, %v", reply, err)
		}
		if strings.Contains(err.Error(), "0100001") {
			t.Errorf("%q holds the number", err)
		}
	})
}
