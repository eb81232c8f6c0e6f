// Package preview says what somebody with a calendar would get: every text that
// goes out between two instants, and why the others do not.
//
// It runs the production engine in virtual time, with a carrier that accepts
// everything at once, so that day plans, quiet hours, the daily limit and clock
// changes are the engine's own, not a second opinion about them.
package preview
