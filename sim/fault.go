package sim

import "slices"

// Class is a class of faults. A seed switches a random half of them on.
type Class uint8

// The fault classes. Their names are the keys of Result.Faults.
const (
	AnswerLost      Class = iota // the carrier accepts, and the answer is lost
	RequestLost                  // the request never gets there, nor an answer back
	Hang                         // no answer until the time-out; accepted or not
	ServerError                  // 5xx; accepted or not
	RateLimited                  // 429, with or without Retry-After
	Refused                      // a refusal of every category
	AccountDown                  // the account is refused for a while
	SenderPanic                  // the vendor's client panics, before or behind the call
	SlowAnswer                   // seconds between acceptance and answer
	SlowCarrier                  // accepted messages queue for hours
	Undelivered                  // accepted, and lost later
	NoNews                       // accepted, and no word ever
	FindDown                     // the carrier can't be asked
	FindLags                     // what it accepted shows in its list a while later
	CallbackLost                 // a status callback does not come
	CallbackTwice                // it comes again, at once or hours later
	CallbackLate                 // it comes late, behind its successors
	CallbackForged               // one that nobody sent: other sid, other message, other user
	StatusFirst                  // it comes before the answer to the hand-over
	TextTwice                    // an inbound text comes again
	CrashAnywhere                // the process dies between two steps
	AppendLost                   // it dies in a flush, and the batch is not on the disk
	AppendKept                   // it dies behind a flush that nobody was told of
	CrashSnapshot                // it dies within a round of snapshots, a compaction or an erasure
	ActorPanic                   // a command panics in a user's actor
	Restore                      // the store is lost, and restored from a backup
	ClockForward                 // the wall clock jumps ahead
	ClockBack                    // it jumps back
	Suspend                      // the machine sleeps
	SlowDisk                     // a flush takes seconds
	DiskFull                     // writes are refused for a while
	Stall                        // an actor does not run for seconds
	Pause                        // an operator stops sending for everybody
	RepeatCommand                // a client's request is carried twice
	StaleVersion                 // a calendar sends what was true before
	ComposerHangs                // the language model does not answer in time
	ComposerFails                // it refuses, or its client panics
	ComposerLies                 // it says what is not so
	ComposerInjects              // it adds links, numbers, markup
	NumberDown                   // one number of the pool is refused for a while, or loses what it took
	NumberLimited                // 429 for one number, again and again
	PoolChanged                  // between two lives a number is taken out, added or brought back
	NoticeDeclined               // a webhook's receiver answers, and not with a yes; or its client panics
	NoticeLost                   // it takes a webhook, and its answer is lost
	NoticeHangs                  // it does not answer in time; taken or not
	ReceiverDown                 // it can't be reached for hours
	ReceiverBusy                 // it asks to be left alone for a while, or for hours
	ReceiverGone                 // it wants nothing any more, until the next start
	SourceDown                   // a connected calendar can't be read for hours
	SourceFails                  // once: 5xx, 429, 403, 404, no calendar, a panic
	SourceHangs                  // it does not answer in time
	SourceSlow                   // it takes seconds to answer
	SourceForgets                // what it told last: the calendar is read anew
	SourceEnds                   // access is taken back until it is connected anew
	SourceSilent                 // its word that something has changed does not come
	classCount
)

var classNames = [classCount]string{
	"answer_lost", "request_lost", "hang", "server_error", "rate_limited", "refused", "account_down", "sender_panic",
	"slow_answer", "slow_carrier", "undelivered", "no_news", "find_down", "find_lags", "callback_lost", "callback_twice",
	"callback_late", "callback_forged", "status_first", "text_twice", "crash_anywhere", "append_lost", "append_kept",
	"crash_snapshot", "actor_panic", "restore", "clock_forward", "clock_back", "suspend", "slow_disk", "disk_full",
	"stall", "pause", "repeat_command", "stale_version", "composer_hangs", "composer_fails", "composer_lies", "composer_injects",
	"number_down", "number_limited", "pool_changed",
	"notice_declined", "notice_lost", "notice_hangs", "receiver_down", "receiver_busy", "receiver_gone",
	"source_down", "source_fails", "source_hangs", "source_slow", "source_forgets", "source_ends", "source_silent",
}

// String returns the class' name.
func (c Class) String() string { return classNames[c] }

// ParseClass returns the class of that name.
func ParseClass(name string) (Class, bool) {
	i := slices.Index(classNames[:], name)
	return Class(max(i, 0)), i >= 0
}

// Classes returns the names of all fault classes.
func Classes() []string { return classNames[:] }

// faults decides what goes wrong, and counts it.
type faults struct {
	d      draw
	on     [classCount]bool
	count  [classCount]int64
	healed bool
	last   func() // is told of every fault
	// bearable: hold-ups are so short that what is due leaves all the same.
	bearable bool
	// pooled: a rate limit is one number's, and holds nobody else's up.
	pooled bool
}

// swarm switches a random half on: faults that always come together hide what
// each does alone. One seed in eight has none at all.
func (f *faults) swarm() {
	if f.d.chance(0.125) {
		return
	}
	for c := range drawnApart {
		f.on[c] = f.d.chance(0.5)
	}
}

// drawnApart is the first of the classes of a part that not every world has. They
// are drawn from that part's stream: what the others play does not depend on it.
const drawnApart = NumberDown

// swarmOf switches a random half of a part's classes on, unless the world has no
// faults at all.
func (f *faults) swarmOf(d draw, classes ...Class) {
	for _, c := range classes {
		f.on[c] = d.chance(0.5) && slices.Contains(f.on[:drawnApart], true)
	}
}

// hit reports whether the fault comes now, with probability p.
func (f *faults) hit(c Class, p float64) bool { return f.hitBy(f.d, c, p) }

// hitBy is hit by the draws of a part that not every world has.
func (f *faults) hitBy(d draw, c Class, p float64) bool {
	if f.healed {
		return false
	}
	drawn := d.chance(p) // always, so that without a class the rest of the world is as it was
	if !drawn || !f.on[c] {
		return false
	}
	f.note(c)
	return true
}

func (f *faults) note(c Class) {
	f.count[c]++
	if f.bearable && (c == SlowDisk || c == Stall) || f.pooled && c == RateLimited {
		return
	}
	switch c { //nolint:exhaustive // the others hold nobody else's reminders up
	case RateLimited, AccountDown, CrashAnywhere, AppendLost, AppendKept, CrashSnapshot, Restore, ClockForward, ClockBack, Suspend, SlowDisk, Stall, Pause:
		f.last()
	}
}
