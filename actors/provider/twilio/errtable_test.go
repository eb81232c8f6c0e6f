package twilio_test

import (
	"fmt"
	"net/http"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

// sorted is the error table said a second time, by hand: a slip in errors.json
// must meet someone.
var sorted = []struct {
	category, retry string
	codes           []int
}{
	{"account_issue", "never", []int{
		20003, 20005, 20006, 20008, 20403, 20404, 21212, 21408, 21601, 21603, 21606, 21607, 21608, 21616,
		21621, 21657, 21659, 21660, 21701, 21702, 21703, 21704, 21705, 30002, 30010, 30018, 30024, 30032,
		30033, 30034, 30035, 30037, 30038, 30044, 60220, 60223, 60605, 63007,
	}},
	{"carrier_issue", "never", []int{21612, 30004, 30011, 30410}},
	{"carrier_issue", "once", []int{30008}},
	{"carrier_issue", "yes", []int{30017, 30020, 30021, 30500}},
	{"content", "never", []int{21602, 21605, 21617, 21618, 21620, 21658, 30019, 63016}},
	{"expired", "never", []int{30036}},
	{"filtered", "never", []int{30007}},
	{"invalid_number", "never", []int{21211, 21214, 21217, 21604, 21614, 30005, 30006, 30014, 60205, 63003, 63024}},
	{"invalid_request", "never", []int{
		20001, 20004, 20409, 20410, 20422, 20426, 21609, 21624, 30012, 30013, 30015, 30016, 30028, 30029,
		30030, 30045, 30400, 30404, 30409, 35114, 35115, 35117, 35118, 60200,
	}},
	{"opted_out", "never", []int{21610, 63033}},
	{"rate_limit", "never", []int{60202, 60203}},
	{"rate_limit", "yes", []int{14107, 20429, 21611, 30001, 30022, 30023, 30027, 30450, 30453, 30454, 35125, 60212, 60410, 63018}},
	{"unknown", "never", []int{30009, 30025, 30026, 30039}},
	{"unknown", "reconcile", []int{20500, 20503, 21619}},
	{"unreachable", "yes", []int{30003, 30046}},
}

var retries = map[string]engine.RetryRule{
	"never": engine.RetryNever, "once": engine.RetryOnce, "yes": engine.RetryYes, "reconcile": engine.RetryOnce,
}

// TestTable: every code of the table, through a create and through a callback
// (S5).
func TestTable(t *testing.T) {
	r := newRig(t, nil)
	hooks := twilio.NewHooks("t")
	seen := 0
	for _, group := range sorted {
		category, ok := engine.ParseCategory(group.category)
		if !ok {
			t.Fatalf("%s is no category", group.category)
		}
		for _, code := range group.codes {
			seen++
			row, ok := twilio.Lookup(code)
			if !ok || row.Category != group.category || row.Retry != group.retry || row.Name == "" {
				t.Errorf("%d: row %+v, want %s, %s", code, row, group.category, group.retry)
			}
			checkRow(t, row)
			want := engine.Failure{
				Code: code, Category: category, Retry: retries[group.retry], Message: row.Name,
				RetryAfter: int64(row.Wait) * 1000,
			}
			r.Fault(twiliotest.Refuse(http.StatusBadRequest, code))
			out := r.client.Send(t.Context(), message(phone, "hello"))
			if group.retry == twilio.RetryReconcile {
				if out.Kind != provider.Uncertain {
					t.Errorf("%d on create: %+v, want uncertain", code, out)
				}
			} else if out.Kind != provider.Refused || out.Failure != want {
				t.Errorf("%d on create: %+v, want %+v", code, out, want)
			}
			got, err := hooks.Status(fmt.Appendf(nil, "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=%d", code))
			if err != nil || got.Failure != want || got.Status != engine.MessageUndelivered {
				t.Errorf("%d in a callback: %+v, %v, want %+v", code, got, err, want)
			}
		}
	}
	if n := twilio.Codes(); len(n) != seen || seen != 119 {
		t.Errorf("%d codes tested, %d in the table", seen, len(n))
	}
}

// checkRow holds a row to the words that the table knows.
func checkRow(t *testing.T, row twilio.Code) {
	t.Helper()
	severity := map[string]bool{"critical": true, "error": true, "warning": true, "info": true}
	if !severity[row.Severity] || row.Seen == "" {
		t.Errorf("%d: severity %q, seen %q", row.Code, row.Severity, row.Seen)
	}
	scoped := row.Scope == twilio.ScopeSender || row.Scope == twilio.ScopeDestination
	if account := row.Category == "account_issue"; scoped != account {
		t.Errorf("%d: scope %q of %s", row.Code, row.Scope, row.Category)
	}
	if row.Wait != 0 && row.Retry != "yes" {
		t.Errorf("%d: waits %d s for a retry that is %q", row.Code, row.Wait, row.Retry)
	}
	if (row.Severity == "critical") != (row.Scope == twilio.ScopeSender) {
		t.Errorf("%d: severity %q of scope %q", row.Code, row.Severity, row.Scope)
	}
}

// TestUnknownCode: what the table does not know has one bounded retry.
func TestUnknownCode(t *testing.T) {
	want := engine.Failure{
		Code: 39999, Category: engine.CategoryUnknown, Retry: engine.RetryOnce,
		Message: "error code 39999 is not in the table",
	}
	r := newRig(t, nil)
	r.Fault(twiliotest.Refuse(http.StatusBadRequest, 39999))
	if out := r.client.Send(t.Context(), message(phone, "hello")); out.Failure != want {
		t.Errorf("on create: %+v", out)
	}
	hooks := twilio.NewHooks("t")
	if got, err := hooks.Status([]byte("MessageSid=SM1&MessageStatus=failed&ErrorCode=39999")); err != nil || got.Failure != want {
		t.Errorf("in a callback: %+v, %v", got, err)
	}
	want.Code, want.Message = 0, "no error code was given"
	if got, err := hooks.Status([]byte("MessageSid=SM1&MessageStatus=failed")); err != nil || got.Failure != want {
		t.Errorf("without a code: %+v, %v", got, err)
	}
	// A 429 whose code is new is still about our pace.
	r.Fault(twiliotest.Refuse(http.StatusTooManyRequests, 39999))
	if out := r.client.Send(t.Context(), message(phone, "hello")); out.Failure.Category != engine.CategoryRateLimit {
		t.Errorf("429: %+v", out)
	}
}

// TestStops: what stops everybody, and what must not.
func TestStops(t *testing.T) {
	r := newRig(t, nil)
	for code, want := range map[int]bool{
		20003: true, 20005: true, 30002: true, 21606: false, 21408: false, 21608: false, 21610: false, 30007: false,
	} {
		if got := r.client.Stops(engine.Failure{Code: code}); got != want {
			t.Errorf("%d: %v", code, got)
		}
	}
	if !r.client.Stops(engine.Failure{Code: 1, Category: engine.CategoryAccountIssue}) {
		t.Error("an account_issue of no known code does not stop the sender")
	}
}
