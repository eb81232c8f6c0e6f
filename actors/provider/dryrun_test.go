package provider_test

import (
	"errors"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/engine"
)

// TestDryRun: carrier "none" records and sends nothing (S8).
func TestDryRun(t *testing.T) {
	var (
		d      provider.DryRun
		sender provider.Sender   = d
		asked  provider.Fetcher  = d
		verify provider.Verifier = d
	)
	m := provider.Message{To: "+15551230000", Text: "hello", ValidUntil: 1}
	if out := sender.Send(t.Context(), m); out.Kind != provider.Recorded || out.SID != "" {
		t.Errorf("outcome %+v, want recorded", out)
	}
	if s := sender.Find(t.Context(), m, 0); s.Result != provider.Absent {
		t.Errorf("find %+v, want absent", s)
	}
	if s := asked.Fetch(t.Context(), "SM1"); s.Result != provider.Absent {
		t.Errorf("fetch %+v, want absent", s)
	}
	if d.Stops(engine.Failure{Category: engine.CategoryAccountIssue}) {
		t.Error("nothing can stop a dry run")
	}
	if err := verify.Start(t.Context(), m.To); !errors.Is(err, provider.ErrVerifyUnconfigured) {
		t.Errorf("start: %v", err)
	}
	if ok, err := verify.Check(t.Context(), m.To, "1"); ok || !errors.Is(err, provider.ErrVerifyUnconfigured) {
		t.Errorf("check: %v, %v", ok, err)
	}
}

func TestVerifyErrorNamesTheCode(t *testing.T) {
	err := error(&provider.VerifyError{Failure: engine.Failure{Code: 20003, Message: "Permission Denied"}})
	if !strings.Contains(err.Error(), "20003") || !strings.Contains(err.Error(), "Permission Denied") {
		t.Errorf("%q", err)
	}
	err = &provider.VerifyError{Cause: "timeout"}
	if !strings.HasSuffix(err.Error(), ": timeout") {
		t.Errorf("%q", err)
	}
}
