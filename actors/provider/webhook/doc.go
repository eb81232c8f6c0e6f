// Package webhook speaks Standard Webhooks (standardwebhooks.com, 1.0.0) in
// both directions: it signs and posts what happened to a receiver of ours, and
// checks the signatures of what others post to us.
package webhook
