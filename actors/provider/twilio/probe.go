package twilio

import (
	"context"

	"carillon/actors/provider"
	"carillon/engine"
)

// Probe asks for the account: it answers to the token in use, and says whether
// it is active. What is wrong with a number, a service or a key's permissions is
// not seen there, and needs a message to tell.
func (c *Client) Probe(ctx context.Context, f engine.Failure) provider.Verdict {
	switch f.Code {
	case 20003, 20006, 20008, 20403, 20404, 20005, 30002, 30037: // as in Advice: token, address, account
	default:
		return provider.FaultUnknown
	}
	account, err := c.call(ctx).messages().FetchAccount(c.conf.AccountSID)
	if err != nil || deref(account.Status) != "active" {
		return provider.FaultLasts
	}
	return provider.FaultOver
}
