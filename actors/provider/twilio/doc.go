// Package twilio is Twilio in both directions: it creates, finds and fetches
// messages, verifies numbers, and reads Twilio's webhooks. It speaks through
// twilio-go's API packages on an HTTP client of its own, because twilio-go's
// has no context, drops headers and leaves bodies open.
//
// Twilio's create has no idempotency key. So one Send is one POST, and an
// answer that was lost is Uncertain, never a reason to post again (S3).
package twilio
