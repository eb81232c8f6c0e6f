// Package sim is the reason to trust the engine: it runs the production
// actors, engine, codec and journal contract in a world that one printed seed
// draws, with every fault that the specification names, and audits what left.
//
//	seed → people, calendars, preferences, carrier, faults
//	           │ commands, texts, callbacks, crashes, jumps
//	           ▼
//	   actors.Node on a seeded dispatcher and a virtual clock
//	           │ what the carrier accepted, what clients were told
//	           ▼
//	        auditor: small checkers, each with a name
//
// # Determinism
//
// Nothing runs at the same time as anything else. Mailboxes, closures of
// Config.Go, alarms and the world's own plans are entries of one queue, ordered
// by virtual time and, at the same instant, by a draw. A call to the carrier
// that has to wait is a coroutine that is parked. The same seed gives the same
// digest on any machine.
//
// # Phases
//
// In the safety phase each seed has a random half of the fault classes
// switched on. Then everything heals, nobody asks for anything new, and every
// reminder must reach a final status in bounded virtual time.
//
// # What the auditor believes
//
// The fake carrier's book of what it accepted, and the replies that clients
// got. A write without a reply yet may or may not count, so a checker speaks up
// only if a text was wrong either way. The auditor's rules are written from the
// specification; it reads the journal for one thing only, the order in which
// hand-overs were begun.
package sim
