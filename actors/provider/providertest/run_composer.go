package providertest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// ComposerWorld is an endpoint under the suite's control.
type ComposerWorld struct {
	Composer provider.Composer
	// Writes has the endpoint answer with a text; Hangs has it answer nothing;
	// Fails has it answer with trouble of its own.
	Writes func(text string)
	Hangs  func()
	Fails  func()
	// Asked is how many requests have reached it.
	Asked  func() int
	Secret string // must be nowhere
}

// RunComposer holds a Composer to each sentence of the port's comment. Every
// test gets a world of its own.
func RunComposer(t *testing.T, open func(t *testing.T) ComposerWorld) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, *ComposerWorld)
	}{
		{"writes", testWrites},
		{"asks once", testAsksOnce},
		{"ends with ctx", testEndsWithCtx},
		{"ctx that has ended", testComposeEnded},
		{"at once", testComposeAtOnce},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := open(t)
			test.run(t, &w)
		})
	}
}

func brief() engine.Brief {
	return engine.Brief{Title: "Private matter", Phrase: "in 15 mins", Segments: 1}
}

func testWrites(t *testing.T, w *ComposerWorld) {
	t.Helper()
	w.Writes("Private matter in 15 mins")
	out, err := w.Composer.Compose(t.Context(), brief())
	if err != nil || out.Text != "Private matter in 15 mins" || out.Model == "" || out.Priced == "" {
		t.Errorf("%+v, %v", out, err)
	}
	if out.PromptTokens < 1 || out.CompletionTokens < 1 || out.CostMicros < 1 || out.CachedTokens > out.PromptTokens {
		t.Errorf("cost %+v", out)
	}
}

func testAsksOnce(t *testing.T, w *ComposerWorld) {
	t.Helper()
	w.Fails()
	out, err := w.Composer.Compose(t.Context(), brief())
	isComposeError(t, w, err)
	if n := w.Asked(); n != 1 {
		t.Errorf("%d requests", n)
	}
	if out.CostMicros < 0 {
		t.Errorf("cost %d", out.CostMicros)
	}
}

func testEndsWithCtx(t *testing.T, w *ComposerWorld) {
	t.Helper()
	w.Hangs()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	patience, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	out, err := w.Composer.Compose(ctx, brief())
	isComposeError(t, w, err)
	if o, _ := provider.ComposeOutcome(err); o != engine.ComposeTimeout {
		t.Errorf("outcome %s", o)
	}
	if patience.Err() != nil {
		t.Error("it went on long after ctx had ended")
	}
	if out.CostMicros < 1 {
		t.Error("nobody knows what it cost, and it counts nothing")
	}
}

func testComposeEnded(t *testing.T, w *ComposerWorld) {
	t.Helper()
	w.Writes("Private matter in 15 mins")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Composer.Compose(ctx, brief())
	isComposeError(t, w, err)
}

func testComposeAtOnce(t *testing.T, w *ComposerWorld) {
	t.Helper()
	w.Writes("Private matter in 15 mins")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if out, err := w.Composer.Compose(t.Context(), brief()); err != nil || out.Text == "" {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
	all.Wait()
	if n := w.Asked(); n != 8 {
		t.Errorf("%d requests for 8 texts", n)
	}
}

func isComposeError(t *testing.T, w *ComposerWorld, err error) {
	t.Helper()
	var known *provider.ComposeError
	if !errors.As(err, &known) || known.Outcome == engine.ComposeOK || known.Outcome == engine.ComposeNone {
		t.Fatalf("error %v, want a ComposeError", err)
	}
	for _, secret := range []string{w.Secret, brief().Title} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in the error %q", secret, err)
		}
	}
}
