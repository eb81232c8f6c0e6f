// Package load rehearses a day that matters: it fills a running engine with
// people and events over HTTP, as a caller would, waits until their reminders
// are due, and measures at the carrier when each text arrived.
//
// The carrier is a stub of ours, shaped like Twilio, or the outbox of the
// engine's own sandbox. Only what the carrier saw counts: a reminder that it
// never saw is missing, one that it saw twice is doubled, whatever the engine
// says about them.
//
// This is real time on a real clock. The deterministic simulation is package
// sim.
package load
