package twilio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

func TestVerifyUnconfigured(t *testing.T) {
	r := newRig(t, func(c *twilio.Config) { c.VerifyServiceSID = "" })
	if err := r.client.Start(t.Context(), phone); !errors.Is(err, provider.ErrVerifyUnconfigured) {
		t.Errorf("start: %v", err)
	}
	if ok, err := r.client.Check(t.Context(), phone, "123456"); ok || !errors.Is(err, provider.ErrVerifyUnconfigured) {
		t.Errorf("check: %v, %v", ok, err)
	}
}

// TestVerifyCodes: Verify's own codes, told apart (N2). ours is a VerifyError.
func TestVerifyCodes(t *testing.T) {
	ours := errors.New("ours")
	for _, test := range []struct {
		status, code int
		start, check error
	}{
		{429, 60202, provider.ErrVerifyRateLimited, provider.ErrVerifyRateLimited},
		{429, 60203, provider.ErrVerifyRateLimited, provider.ErrVerifyRateLimited},
		{429, 60212, provider.ErrVerifyRateLimited, provider.ErrVerifyRateLimited},
		{429, 20429, provider.ErrVerifyRateLimited, provider.ErrVerifyRateLimited},
		{403, 60410, provider.ErrVerifyRateLimited, provider.ErrVerifyRateLimited},
		{403, 60205, provider.ErrNumberRefused, provider.ErrNumberRefused},
		{400, 21211, provider.ErrNumberRefused, provider.ErrNumberRefused},
		{404, 20404, ours, provider.ErrVerifyExpired},
		{401, 20003, ours, ours},
		{403, 20005, ours, ours},
		{403, 60605, ours, ours},
		{403, 60220, ours, ours},
		{400, 60200, ours, ours},
		{500, 20500, ours, ours},
		{400, 61999, ours, ours},
	} {
		r := newRig(t, nil)
		r.FaultVerify(twiliotest.Refuse(test.status, test.code), twiliotest.Refuse(test.status, test.code))
		err := r.client.Start(t.Context(), phone)
		_, checkErr := r.client.Check(t.Context(), phone, "123456")
		for _, got := range []struct{ err, want error }{{err, test.start}, {checkErr, test.check}} {
			var trouble *provider.VerifyError
			if errors.As(got.err, &trouble) && errors.Is(got.want, ours) || errors.Is(got.err, got.want) {
				continue
			}
			t.Errorf("http %d, code %d: %v, want %v", test.status, test.code, got.err, got.want)
		}
	}
}

// TestVerifyFaults: no readable answer is the provider's trouble, told without
// the number.
func TestVerifyFaults(t *testing.T) {
	for name, f := range map[string]twiliotest.Fault{
		"dropped": twiliotest.Drop(), "reset": twiliotest.Reset(), "503": twiliotest.Page(503),
		"429 of a proxy": twiliotest.Page(429), "404 of a proxy": twiliotest.Page(404),
		"garbage": twiliotest.Garbage("+15551230000"), "no sid": twiliotest.Garbage(`{"status":"approved"}`),
		"cut": twiliotest.Cut(), "redirect": twiliotest.Redirect("/"),
	} {
		r := newRig(t, nil)
		r.FaultVerify(f, f)
		var trouble *provider.VerifyError
		if err := r.client.Start(t.Context(), phone); !errors.As(err, &trouble) || strings.Contains(err.Error(), "1555") {
			t.Errorf("%s: start: %v", name, err)
		}
		if ok, err := r.client.Check(t.Context(), phone, "123456"); ok || !errors.As(err, &trouble) {
			t.Errorf("%s: check: %v, %v", name, ok, err)
		}
	}
}

// TestVerifySays: the words of a check, and parameters that Verify finds bad.
func TestVerifySays(t *testing.T) {
	for status, want := range map[string]error{
		"approved": nil, "pending": nil, "max_attempts_reached": provider.ErrVerifyRateLimited,
		"canceled": provider.ErrVerifyExpired, "expired": provider.ErrVerifyExpired,
		"deleted": provider.ErrVerifyExpired, "failed": provider.ErrVerifyExpired,
	} {
		r := record(t, http.StatusOK, `{"sid":"VE1","valid":true,"date_created":"not a date","status":"`+status+`"}`)
		c := r.client(t, func(c *twilio.Config) { c.VerifyServiceSID = "VA1" })
		ok, err := c.Check(t.Context(), phone, "123456")
		if ok != (status == "approved") || !errors.Is(err, want) {
			t.Errorf("%s: %v, %v", status, ok, err)
		}
		if r.req.URL.Path != "/v2/Services/VA1/VerificationCheck" || r.form.Encode() != "Code=123456&To=%2B15551230000" {
			t.Errorf("asked %s with %v", r.req.URL.Path, r.form)
		}
	}
	r := newRig(t, nil)
	if err := r.client.Start(t.Context(), "not a number"); !errors.Is(err, provider.ErrNumberRefused) {
		t.Errorf("a bad number: %v", err)
	}
	if ok, err := r.client.Check(t.Context(), phone, "1"); ok || err != nil {
		t.Errorf("a code of one digit: %v, %v, want wrong", ok, err)
	}
	bad := newRig(t, func(c *twilio.Config) { c.VerifyServiceSID = "VA1" })
	var trouble *provider.VerifyError
	if err := bad.client.Start(t.Context(), phone); !errors.As(err, &trouble) || trouble.Failure.Category != engine.CategoryAccountIssue {
		t.Errorf("a service that is not ours: %v", err)
	}
}
