package sim

// Checker is one of the auditor's: a name, under which it speaks up, and what
// it holds.
type Checker struct {
	Name, Holds string
	// World: it holds the run's own world, what it stands on or that it goes on,
	// and no promise to people. What breaks it need not be a mistake in a rule.
	World bool
}

// Checkers lists them all.
var Checkers = []Checker{
	{Name: "acknowledged_write", Holds: "what was acknowledged is there (W2)"},
	{Name: "answer", Holds: "replies are answered with what is so (N4)"},
	{Name: "attempts", Holds: "three hand-overs at most (S4)"},
	{Name: "backoff", Holds: "a retry waits as long as it has to, and no longer (S4)"},
	{Name: "backup", Holds: "a backup can be made and restored (W6)", World: true},
	{Name: "cancel", Holds: "cancelled and not sent, or sent and shown sent (S3)"},
	{Name: "check", Holds: "`carillon check` passes"},
	{Name: "checked", Holds: "a text leaves within a minute of its last check (S1)"},
	{Name: "collapse", Holds: "of overdue leads one goes out (P9)"},
	{Name: "confirm", Holds: "news are asked for (D5)"},
	{Name: "consent", Holds: "no text to who has opted out (N3)"},
	{Name: "durability", Holds: "a flushed record is there behind a crash (W2)"},
	{Name: "erased", Holds: "who was erased is not there (N6)"},
	{Name: "forged", Holds: "a report that nobody sent is refused"},
	{Name: "forgotten", Holds: "the journal keeps no word of who was erased (N6)"},
	{Name: "forward", Holds: "what was shown is not taken back (D1)"},
	{Name: "fuse", Holds: "the same words twice a day at most"},
	{Name: "guarded", Holds: "a model adds no link, number or markup (X4)"},
	{Name: "hold", Holds: "`on_uncertain: hold` means never again (S3)"},
	{Name: "intent", Holds: "a hand-over is flushed before the carrier is called (S2)"},
	{Name: "internal_error", Holds: "no command fails for a fault of ours"},
	{Name: "journal", Holds: "records are dense and can be read (W7)", World: true},
	{Name: "limit", Holds: "the daily limit (P5)"},
	{Name: "liveness", Holds: "everything comes to an end (L1)"},
	{Name: "lost", Holds: "a reminder that waits does not vanish"},
	{Name: "missed", Holds: "what is due leaves (P1, P4)"},
	{Name: "number_unique", Holds: "a number is one user's (N2)"},
	{Name: "older", Holds: "an older message speaks for itself only (D2)"},
	{Name: "once", Holds: "nobody is texted twice (S3)"},
	{Name: "pause", Holds: "a pause holds texts back (S8)"},
	{Name: "plans", Holds: "each day has one plan, at its first instant (P1, P8)"},
	{Name: "priority", Holds: "the limit keeps higher priorities (P5)"},
	{Name: "quarantine", Holds: "a command that panics is put aside"},
	{Name: "quiet", Holds: "quiet hours (T4, P4)"},
	{Name: "recipient", Holds: "the text goes to the person's number"},
	{Name: "refusal", Holds: "what is right is not refused"},
	{Name: "replay", Holds: "the journal gives the live state (W2)"},
	{Name: "shown", Holds: "a read knows of nothing unflushed (W1)"},
	{Name: "silence", Holds: "who has opted out gets no answer (N3)"},
	{Name: "start", Holds: "the engine starts on what a crash left (W2)"},
	{Name: "starts", Holds: "five codes an hour (N2)"},
	{Name: "state", Holds: "the state behind each record holds together"},
	{Name: "store", Holds: "the store opens behind a crash", World: true},
	{Name: "stuck", Holds: "nothing waits long past its deadline (S3, S4)"},
	{Name: "switch", Holds: "no event reminder while they are off (S1)"},
	{Name: "text", Holds: "one segment, no control characters (X2)"},
	{Name: "timeline", Holds: "entries are dense and named (I15)"},
	{Name: "truth", Holds: "what is shown is what the carrier has"},
	{Name: "validity", Holds: "nothing may arrive past its use (S7)"},
	{Name: "verified", Holds: "no text to an unverified number (S1)"},
	{Name: "verify", Holds: "the store is sound (W7)", World: true},
	{Name: "version", Holds: "the newest version is not called old (C1)"},
	{Name: "waits", Holds: "what waits is wanted (C2, C3)"},
	{Name: "words", Holds: "the text is true of the event as it is (X1, C2, C3)"},
}
