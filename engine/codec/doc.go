// Package codec turns the engine's events and user snapshots into bytes and
// back. What a version of carillon wrote, every later one reads.
//
// # Format
//
// The bytes are protobuf's wire format; events.proto describes them. Tagged
// fields let a build skip what a newer one added, and zero values take no
// room. The payload carries no version: whoever stores it does, and hands it
// back. Two things are refused instead of skipped, because guessing at them
// would fork a user's state: a payload version and an event kind that this
// build does not know (ErrNewer). Bytes that make no sense are ErrCorrupt, with
// the place where reading stopped.
//
// # To add a field
//
// Add a line with the next number at the end of the struct's method (in
// events.go, events_reminder.go, values.go or user.go), and one in
// events.proto. The method serves both directions. To add a kind: the next
// number in kinds.go, a case in event_write.go and in event_read.go, a method,
// and events.proto. Then go test -update writes the golden file that is
// missing. The tests fail for what was left out: each field of each event is
// filled by reflection and must come back, and the kinds are compared with the
// source of the engine.
//
// # Why by hand
//
// vtprotobuf would write the same bytes (its code generated from events.proto
// reproduces every golden file), but for 18,000 generated lines in place of
// 1,000, and from twins of all our structs that each value is copied into and
// out of. Measured side by side, best of 15 on two cores of a Xeon at 2.8 GHz
// that were not idle, Go 1.26:
//
//	                        here                  vtprotobuf 0.6
//	encode AttemptStarted   106 ns   0 allocs     74 ns; from our struct 163 ns and 2 allocs
//	decode AttemptStarted   444 ns   3 allocs     348 ns, 8 allocs, then the copy to our struct
//	encode user, 5+5        1.8 µs   0 allocs     1.1 µs, and the copy before
//	decode user, 5+5        4.4 µs   6 allocs     4.8 µs, 60 allocs, then the copy
//
// AttemptStarted is a record of 167 bytes with a text of 87; the user has five
// events and five reminders in 1,321 bytes.
//
// # Memory
//
// Encoding appends to the caller's buffer and allocates nothing else. All
// strings of one payload share one copy of it: few objects for the garbage
// collector, at the price that the copy stays while any of them does.
package codec
