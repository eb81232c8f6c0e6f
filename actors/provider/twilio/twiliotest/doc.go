// Package twiliotest is a Twilio of our own for tests: a stateful server on
// loopback that creates, lists, fetches and cancels messages, verifies numbers,
// signs callbacks, and misbehaves by script. It counts every create that
// reached it, so that a test can say how often a text was really sent.
//
// It answers as Twilio's OpenAPI files say, so that prism can stand between it
// and a client as a referee.
package twiliotest
