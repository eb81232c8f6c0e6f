package providertest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/engine"
)

// VerifierWorld is a verification service under the suite's control. A number
// that is empty stands for a trouble that the service does not know.
type VerifierWorld struct {
	Verifier provider.Verifier
	Phone    string // an ordinary number
	Refused  string // can't receive codes
	Flooded  string // has had too many
	Account  string // meets a fault of our account
	// Code is what was sent to a number.
	Code    func(phone string) string
	Advance func(engine.Millis)
}

// RunVerifier holds a Verifier to each sentence of the port's comment. Every
// test gets a world of its own.
func RunVerifier(t *testing.T, open func(t *testing.T) VerifierWorld) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, *VerifierWorld)
	}{
		{"right code", testRightCode},
		{"wrong code", testWrongCode},
		{"nothing waits", testNothingWaits},
		{"code runs out", testRunsOut},
		{"too many checks", testManyChecks},
		{"too many starts", testManyStarts},
		{"number refused", testNumberRefused},
		{"number flooded", testFlooded},
		{"account's fault is not the user's", testAccount},
		{"ctx that has ended", testVerifyEnded},
		{"numbers apart", testApart},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := open(t)
			test.run(t, &w)
		})
	}
}

func start(t *testing.T, w *VerifierWorld, phone string) string {
	t.Helper()
	if err := w.Verifier.Start(t.Context(), phone); err != nil {
		t.Fatalf("start: %v", err)
	}
	code := w.Code(phone)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Fatalf("code %q, want six digits", code)
	}
	return code
}

// wrong returns a code that is not the right one.
func wrong(code string) string {
	if code[0] == '9' {
		return "1" + code[1:]
	}
	return "9" + code[1:]
}

func wantCheck(t *testing.T, w *VerifierWorld, phone, code string, want bool, wantErr error) {
	t.Helper()
	ok, err := w.Verifier.Check(t.Context(), phone, code)
	if ok != want || !errors.Is(err, wantErr) {
		t.Errorf("check: %v, %v; want %v, %v", ok, err, want, wantErr)
	}
}

func testRightCode(t *testing.T, w *VerifierWorld) {
	t.Helper()
	code := start(t, w, w.Phone)
	wantCheck(t, w, w.Phone, code, true, nil)
	wantCheck(t, w, w.Phone, code, false, provider.ErrVerifyExpired) // a code is right once
}

func testWrongCode(t *testing.T, w *VerifierWorld) {
	t.Helper()
	code := start(t, w, w.Phone)
	for _, c := range []string{wrong(code), "", "abc", "12345678901234567890"} {
		wantCheck(t, w, w.Phone, c, false, nil)
	}
	wantCheck(t, w, w.Phone, code, true, nil)
}

func testNothingWaits(t *testing.T, w *VerifierWorld) {
	t.Helper()
	wantCheck(t, w, w.Phone, "123456", false, provider.ErrVerifyExpired)
}

func testRunsOut(t *testing.T, w *VerifierWorld) {
	t.Helper()
	code := start(t, w, w.Phone)
	w.Advance(10*60*1000 + 1000)
	wantCheck(t, w, w.Phone, code, false, provider.ErrVerifyExpired)
	wantCheck(t, w, w.Phone, start(t, w, w.Phone), true, nil)
}

func testManyChecks(t *testing.T, w *VerifierWorld) {
	t.Helper()
	code := start(t, w, w.Phone)
	for range 5 {
		wantCheck(t, w, w.Phone, wrong(code), false, nil)
	}
	wantCheck(t, w, w.Phone, code, false, provider.ErrVerifyRateLimited)
}

func testManyStarts(t *testing.T, w *VerifierWorld) {
	t.Helper()
	for range 5 {
		start(t, w, w.Phone)
	}
	if err := w.Verifier.Start(t.Context(), w.Phone); !errors.Is(err, provider.ErrVerifyRateLimited) {
		t.Errorf("start: %v, want %v", err, provider.ErrVerifyRateLimited)
	}
}

func testNumberRefused(t *testing.T, w *VerifierWorld) {
	t.Helper()
	if err := w.Verifier.Start(t.Context(), w.Refused); !errors.Is(err, provider.ErrNumberRefused) {
		t.Errorf("start: %v, want %v", err, provider.ErrNumberRefused)
	}
}

func testFlooded(t *testing.T, w *VerifierWorld) {
	t.Helper()
	if err := w.Verifier.Start(t.Context(), w.Flooded); !errors.Is(err, provider.ErrVerifyRateLimited) {
		t.Errorf("start: %v, want %v", err, provider.ErrVerifyRateLimited)
	}
}

func testAccount(t *testing.T, w *VerifierWorld) {
	t.Helper()
	err := w.Verifier.Start(t.Context(), w.Account)
	var trouble *provider.VerifyError
	if !errors.As(err, &trouble) || trouble.Failure.Category != engine.CategoryAccountIssue {
		t.Fatalf("start: %v, want a VerifyError of category account_issue", err)
	}
	if strings.Contains(err.Error(), w.Account[1:]) {
		t.Errorf("%q holds the number", err)
	}
}

func testVerifyEnded(t *testing.T, w *VerifierWorld) {
	t.Helper()
	start(t, w, w.Phone)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var trouble *provider.VerifyError
	if err := w.Verifier.Start(ctx, w.Phone); !errors.As(err, &trouble) {
		t.Errorf("start: %v, want a VerifyError", err)
	}
	if ok, err := w.Verifier.Check(ctx, w.Phone, "123456"); ok || !errors.As(err, &trouble) {
		t.Errorf("check: %v, %v; want a VerifyError", ok, err)
	}
}

func testApart(t *testing.T, w *VerifierWorld) {
	t.Helper()
	const other = "+15550002222"
	mine, theirs := start(t, w, w.Phone), start(t, w, other)
	if mine != theirs {
		wantCheck(t, w, other, mine, false, nil)
	}
	wantCheck(t, w, other, theirs, true, nil)
	wantCheck(t, w, w.Phone, mine, true, nil)
}
