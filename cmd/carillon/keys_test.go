package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// A key is shown once, listed without its secret, and gone when it is revoked. A
// store that there was not is begun, which is said; only adding does that.
func TestKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "store")
	keys := func(wantCode int, args ...string) (out, errs string) {
		t.Helper()
		var o, e bytes.Buffer
		p := &program{stdout: &o, stderr: &e, lookup: func(string) (string, bool) { return "", false }}
		if code := p.run(t.Context(), append([]string{"keys"}, append(args, "--data-dir", dir)...)); code != wantCode {
			t.Fatalf("keys %v: exit %d, want %d\n%s%s", args, code, wantCode, &o, &e)
		}
		return o.String(), e.String()
	}
	if _, errs := keys(exitStorage, "list"); !strings.Contains(errs, dir) {
		t.Errorf("no store to list: %q does not name the folder", errs)
	}
	first, errs := keys(exitOK, "add", "--role", "admin")
	if !strings.Contains(errs, "no store in "+dir) {
		t.Errorf("a store was begun, and stderr says %q", errs)
	}
	second, errs := keys(exitOK, "add", "--role", "read", "--note", "grafana")
	if errs != "" {
		t.Errorf("the store was there, and stderr says %q", errs)
	}
	secret, id := strings.Fields(second)[0], strings.Trim(strings.Fields(second)[2], ",")
	if !strings.HasPrefix(secret, "ck_") || secret == strings.Fields(first)[0] {
		t.Errorf("keys %q and %q", first, second)
	}
	listed, _ := keys(exitOK, "list")
	if !strings.Contains(listed, id) || !strings.Contains(listed, "grafana") || strings.Contains(listed, secret) {
		t.Errorf("listed: %s", listed)
	}
	_, _ = keys(exitOK, "revoke", id)
	if listed, _ = keys(exitOK, "list"); strings.Contains(listed, id) || strings.Count(listed, "\n") != 1 {
		t.Errorf("after revoking %s: %s", id, listed)
	}
	if _, errs := keys(exitFailed, "revoke", id); !strings.Contains(errs, id) {
		t.Errorf("revoked twice: %q", errs)
	}
}
