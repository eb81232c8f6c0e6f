// Package crash is the store campaign: it takes the real log, on real files,
// to every bad moment that it can make, and holds W2, W3 and W7 there.
//
// Crash states: a worker process uses the log while strace notes what it asks
// of the kernel: writes, flushes, renames, and what it said it had
// acknowledged. Nothing is inferred: a flush that is not in the trace did not
// happen. From the trace the states are made that a power loss could leave,
// unflushed pieces of 512 bytes lost, torn and in any order. A reader of our
// own, written from wal/FORMAT.md, judges every state; wal.Open judges a
// sample, and both must agree.
//
// System calls: the real binary runs while strace makes one call fail, or kills
// it there. Damage: files are flipped, cut, swapped and aged, and opened.
// Space: the real binary runs on a file system that fills up.
//
// Controls are builds of carillon with one lock taken off the door (flushes
// skipped, checksums not looked at). Each harness must report the build that
// it claims to guard against.
package crash
