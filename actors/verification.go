package actors

import (
	"context"
	"errors"

	"carillon/actors/provider"
	"carillon/engine"
)

// StartVerification records that a code is wanted and, when that is durable,
// has it sent (N2). The reply is an engine.VerificationReply or an
// engine.Refusal.
func (n *Node) StartVerification(ctx context.Context, userID, phone, key string, keyHash uint64) (engine.Reply, error) {
	reply, err := n.Do(ctx, userID, engine.StartVerification{Phone: phone}, key, keyHash)
	v, ok := reply.(engine.VerificationReply)
	if err != nil || !ok || v.Repeated {
		return reply, err
	}
	if err := n.cfg.Verifier.Start(ctx, phone); err != nil {
		return verifierSays(err)
	}
	return reply, nil
}

// CheckVerification checks a code for the number that is being verified, and
// makes it the user's if it is right. The reply is an engine.UserReply or an
// engine.Refusal.
func (n *Node) CheckVerification(ctx context.Context, userID, code, key string, keyHash uint64) (engine.Reply, error) {
	reply, err := n.remembered(ctx, userID, engine.ConfirmVerification{}, key, keyHash)
	if err != nil || reply != nil {
		return reply, err
	}
	reply, err = n.Do(ctx, userID, engine.GetUser{}, "", 0)
	u, ok := reply.(engine.UserReply)
	if err != nil || !ok {
		return reply, err
	}
	phone := u.User.PendingPhone
	if phone == "" {
		return engine.Refusal{Kind: engine.RefusedConflict, Code: engine.CodeNoVerification, Detail: "no verification is pending for this user"}, nil
	}
	right, err := n.cfg.Verifier.Check(ctx, phone, code)
	switch {
	case err != nil:
		return verifierSays(err)
	case !right:
		return engine.Refusal{Kind: engine.RefusedInvalid, Code: codeWrong, Field: "code", Detail: "the code is not the one that was sent"}, nil
	}
	return n.Do(ctx, userID, engine.ConfirmVerification{Phone: phone}, key, keyHash)
}

// Refusal codes that only verification has.
const (
	codeWrong         = "wrong_code"
	codeNumberRefused = "number_refused"
	codeUnconfigured  = "verification_unconfigured"
)

// verifierSays tells the user's mistake from the provider's trouble: our
// credentials are not the user's fault.
func verifierSays(err error) (engine.Reply, error) {
	switch {
	case errors.Is(err, provider.ErrNumberRefused):
		return engine.Refusal{Kind: engine.RefusedInvalid, Code: codeNumberRefused, Field: "phone_number", Detail: "this number can't receive codes"}, nil
	case errors.Is(err, provider.ErrVerifyRateLimited):
		return engine.Refusal{Kind: engine.RefusedTooMany, Code: engine.CodeRateLimited, Field: "phone_number", Detail: "too many codes or attempts for this number", RetryAfter: verifyPause}, nil
	case errors.Is(err, provider.ErrVerifyExpired):
		return engine.Refusal{Kind: engine.RefusedConflict, Code: engine.CodeNoVerification, Detail: "no verification is waiting for this number; start another one"}, nil
	case errors.Is(err, provider.ErrVerifyUnconfigured):
		return engine.Refusal{Kind: engine.RefusedConflict, Code: codeUnconfigured, Detail: "no verification service is configured; an administrator can attest a number"}, nil
	}
	return nil, ErrVerifier.because(err)
}

// verifyPause is how long Twilio Verify keeps a number's attempts in mind.
const verifyPause = engine.Millis(10 * 60_000)
