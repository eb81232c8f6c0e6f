// Package sandbox is a carrier inside the binary: it accepts texts, reports
// their delivery and shows them in an outbox, and sends nothing to anybody. Its
// magic numbers misbehave like Twilio's test numbers and like the worst days of
// a real carrier; see Magic for the table.
//
// What it knows lives in memory. After a restart it knows no message, which is
// the truth about its world: a text that was only in a lost outbox reached
// nobody.
package sandbox
