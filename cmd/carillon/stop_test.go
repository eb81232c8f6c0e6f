package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestAWriteThatFailsWhileStoppingIsNoCleanStop is W3: the store campaign made a
// flush fail between the signal and the end, and the exit code was 0.
func TestAWriteThatFailsWhileStoppingIsNoCleanStop(t *testing.T) {
	for range 8 { // the failure and the signal are seen in either order
		var cli struct{ settings }
		k, err := kong.New(&cli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Parse([]string{"--listen", freeAddr(t), "--data-dir", t.TempDir(), "--log-level", "error"}); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		p := &program{stdout: &said, stderr: &said, lookup: func(string) (string, bool) { return "", false }}
		ctx, cancel := context.WithCancel(t.Context())
		broken := errors.New("no flush")
		err = p.serve(ctx, &cli.settings, testKey, func(v *service) {
			v.fatal <- broken
			cancel()
		})
		if !errors.Is(err, broken) || exitCode(err) != exitStorage {
			t.Fatalf("got %v, exit code %d: %s", err, exitCode(err), said.String())
		}
	}
}
