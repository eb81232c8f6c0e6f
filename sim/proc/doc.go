// Package proc runs the real binary, carillon serve, as a process among other
// processes, and breaks what is between and beneath them: SIGKILL, SIGSTOP,
// SIGTERM with hand-overs in flight, no memory, no disk, a second process on
// the store, and a network with every toxic of toxiproxy.
//
//	clients ──line──▶ carillon serve ──line──▶ carrier, a process of its own
//	   │ ledger             ▲                       │ book: what it accepted
//	   │                    └────────line───────────┘
//	   └────────────▶ auditor ◀─────────────────────┘
//
// The auditor believes the carrier's book, which is flushed before a create is
// answered, and the clients' ledger of what was acknowledged to them. It never
// asks carillon whether a text was sent.
//
// The draws come from one seed, but the time is real: a seed names a schedule
// of faults, not a run that comes again to the instant.
//
// Everything is on loopback and needs Linux. The campaign moves into a mount
// namespace of its own, so that its small disk goes with its last process, and
// its children die with it.
package proc
