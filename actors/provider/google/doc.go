// Package google reads calendars of Google Calendar (API v3): a whole window
// once, then what has changed (sync tokens), and has Google tell when something
// does (push notifications). Access is asked for with a refresh token that the
// caller's application was given by the person.
//
// Three endpoints are used, by hand: Google's own client would triple the binary
// and does not repeat a list that got a 503.
package google
