package twilio

import (
	"context"
	"errors"
	"net/http"
	"strings"

	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"carillon/actors/provider"
	"carillon/engine"
)

// Codes of Verify that mean something other than their category.
const (
	codeNotFound    = 20404
	codeBadParam    = 60200
	verifyByText    = "sms"
	maxCodeLength   = 10 // a custom code has 4 to 10 characters
	statusApproved  = "approved"
	statusPending   = "pending"
	statusExhausted = "max_attempts_reached"
)

// Start has Verify send a code by text.
func (c *Client) Start(ctx context.Context, phone string) error {
	if c.conf.VerifyServiceSID == "" {
		return provider.ErrVerifyUnconfigured
	}
	p := &verify.CreateVerificationParams{}
	p.SetTo(phone)
	p.SetChannel(verifyByText)
	k := c.call(ctx)
	_, err := k.verifications().CreateVerification(c.conf.VerifyServiceSID, p)
	if k.body != nil {
		_, _, err = essence(k.body)
	}
	if err != nil {
		return startError(err)
	}
	return nil
}

// Check asks Verify whether the code is right.
func (c *Client) Check(ctx context.Context, phone, code string) (bool, error) {
	if c.conf.VerifyServiceSID == "" {
		return false, provider.ErrVerifyUnconfigured
	}
	if code == "" || len(code) > maxCodeLength {
		return false, nil // no code of Verify's looks like that
	}
	p := &verify.CreateVerificationCheckParams{}
	p.SetTo(phone)
	p.SetCode(code)
	k := c.call(ctx)
	_, err := k.verifications().CreateVerificationCheck(c.conf.VerifyServiceSID, p)
	var status string
	if k.body != nil {
		_, status, err = essence(k.body)
	}
	if err != nil {
		return false, checkError(err)
	}
	return verdict(status)
}

// verdict reads the status: "valid" is only kept for old programs.
func verdict(status string) (bool, error) {
	switch status {
	case statusApproved:
		return true, nil
	case statusPending:
		return false, nil
	case statusExhausted:
		return false, provider.ErrVerifyRateLimited
	case "canceled", "expired", "deleted", "failed":
		return false, provider.ErrVerifyExpired
	}
	return false, &provider.VerifyError{Cause: "unreadable answer: no known status"}
}

func startError(err error) error {
	if answer, ok := errors.AsType[*answerError](err); ok && answer.code == codeBadParam && strings.Contains(answer.message, "`To`") {
		return provider.ErrNumberRefused
	}
	return verifyError(err)
}

func checkError(err error) error {
	if answer, ok := errors.AsType[*answerError](err); ok {
		switch {
		case answer.code == codeNotFound:
			return provider.ErrVerifyExpired // unknown, expired or approved before: Verify says no more
		case answer.code == codeBadParam && strings.Contains(answer.message, "Code"):
			return nil // not even the shape of a code: a wrong one
		}
	}
	return verifyError(err)
}

// verifyError tells the number's and the person's part from ours. A 404 on a
// start is a service sid that does not exist: ours.
func verifyError(err error) error {
	answer, ok := errors.AsType[*answerError](err)
	if !ok {
		return &provider.VerifyError{Cause: lostCause(err)}
	}
	if answer.code == 0 || answer.status >= http.StatusInternalServerError {
		return &provider.VerifyError{Cause: answer.Error()}
	}
	f := answer.failure()
	switch f.Category { //nolint:exhaustive // the others are ours
	case engine.CategoryRateLimit:
		return provider.ErrVerifyRateLimited
	case engine.CategoryInvalidNumber, engine.CategoryOptedOut:
		return provider.ErrNumberRefused
	}
	return &provider.VerifyError{Failure: f}
}
