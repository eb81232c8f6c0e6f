// Package engine decides: which calendar events become reminders, when they
// are due, whether they may leave, what they say, and what a carrier's word
// changes. It is pure: now, zones, policy and draws are handed in, and the
// same input gives the same events for ever.
package engine
