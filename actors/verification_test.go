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

// right is a Verifier that takes every start and every code.
type right struct{ provider.Verifier }

func (right) Start(context.Context, string) error                 { return nil }
func (right) Check(context.Context, string, string) (bool, error) { return true, nil }

// W3: a request whose answer was lost is safe to repeat with its key, although the
// number has become another user's since, or there is no code to check any more.
func TestWhatWasCarriedOutIsNotRefused(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Verifier = right{} }, func(w *world) {
		const number = "+15550100009"
		ctx := context.Background()
		for _, id := range []string{"ada", "bob"} {
			w.do(id, engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
		}
		must := func(reply engine.Reply, err error) engine.Reply {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return reply
		}
		start := func(key string) engine.Reply { return must(w.node.StartVerification(ctx, "ada", number, key, 1)) }
		check := func(id, key string) engine.Reply { return must(w.node.CheckVerification(ctx, id, "123456", key, 2)) }
		refused := func(what string, reply engine.Reply, code string) {
			t.Helper()
			if r, ok := reply.(engine.Refusal); !ok || r.Code != code {
				t.Errorf("%s: %+v, want %s", what, reply, code)
			}
		}
		if v, ok := start("k1").(engine.VerificationReply); !ok || v.Repeated {
			t.Fatalf("the first start: %+v", v)
		}
		must(w.node.StartVerification(ctx, "bob", number, "", 0))
		if u, ok := check("bob", "k1").(engine.UserReply); !ok || !u.User.Verified {
			t.Fatalf("bob's check: %+v", u)
		}
		if v, ok := start("k1").(engine.VerificationReply); !ok || !v.Repeated {
			t.Errorf("the start once more: %+v", v)
		}
		refused("a start under another key", start("k2"), engine.CodePhoneTaken)
		refused("a start without a key", start(""), engine.CodePhoneTaken)
		refused("another request under the key", must(w.node.StartVerification(ctx, "ada", number, "k1", 3)), engine.CodeIdempotencyReused)
		if u, ok := check("bob", "k1").(engine.UserReply); !ok || u.User.Phone != number {
			t.Errorf("bob's check once more: %+v", u)
		}
		refused("a check under another key", check("bob", "k2"), engine.CodeNoVerification)
		refused("a check of nobody", check("eve", "k1"), engine.CodeUserNotFound)
	})
}
