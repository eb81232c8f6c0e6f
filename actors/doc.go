// Package actors runs the engine: one protoactor-go actor per user decides,
// the journal actor makes its records durable many users at a time and
// releases what was held behind them, the timer wakes users, the outbox hands
// messages over, the directory keeps numbers unique, and the keeper snapshots
// and compacts.
//
//	request → router → user actor ── engine.Decide ──→ journal ── flush ──→ release
//	              ↑                                                   │
//	            timer ←────────── next wake ──────────────────────────┤
//	            outbox ←───────── effects ────────────────────────────┤
//	            caller ←───────── reply ──────────────────────────────┘
//
// # Order of obligations
//
// Memory runs ahead of the disk, output never does: a reply, an effect and a
// next wake travel with their record and leave after its flush (DESIGN 1). A
// read that was computed from records not yet flushed waits behind them.
//
// # Who may touch what
//
// A user's state belongs to its actor. A table entry's pid, cold state and
// last use are guarded by the lock of its shard, its place in the heap by the
// timer alone. The journal's pending batch belongs to the journal. Actors use
// no futures, stash, middleware, library timers or goroutines of their own;
// what blocks runs through Config.Go and answers by message, so that a seeded
// dispatcher makes the whole deterministic.
package actors
