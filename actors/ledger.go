package actors

import (
	"encoding/json"
	"log/slog"

	"carillon/engine"
	"carillon/wal"
)

// ledger keeps what the composer has cost on a UTC day, against its budget.
//
// A restart must not begin the day anew. So the store knows a sum that is
// reserved: it is raised, some steps at a time, before the spending reaches
// it, and a start takes all of it as spent. That costs a few records a day
// instead of one per text.
type ledger struct {
	limit    int64 // millionths of a US dollar per day; 0: no limit
	day      int64 // days since 1970
	spent    int64
	reserved int64
	dearest  int64 // the most that one text has cost, for those under way
}

// reservation is what the store keeps.
type reservation struct {
	Day    int64 `json:"day"`
	Micros int64 `json:"micro_usd"`
}

const dayMillis = engine.Millis(24 * 60 * 60_000)

// turn begins a new day; a clock that goes back does not.
func (l *ledger) turn(now engine.Millis) {
	if day := now / dayMillis; day > l.day {
		l.day, l.spent, l.reserved = day, 0, 0
	}
}

// room reports whether another text may be asked for, beside those under way.
func (l *ledger) room(now engine.Millis, running int) bool {
	l.turn(now)
	return l.limit == 0 || l.spent+int64(running)*l.dearest < l.limit
}

func (l *ledger) today(now engine.Millis) int64 {
	l.turn(now)
	return l.spent
}

// reserveSteps is into how many reservations a day's budget goes.
const reserveSteps = 50

// add counts a cost, and returns what the store is to reserve, if it is time.
func (l *ledger) add(now engine.Millis, cost int64) (reservation, bool) {
	l.turn(now)
	cost = min(max(cost, 0), maxCost)
	l.spent += cost
	l.dearest = max(l.dearest, cost)
	if l.limit == 0 || l.spent <= l.reserved {
		return reservation{}, false
	}
	l.reserved = l.spent + max(l.limit/reserveSteps, 1)
	return reservation{Day: l.day, Micros: l.reserved}, true
}

// maxCost bounds what one answer can claim to have cost: a million dollars,
// so that no sum overflows.
const maxCost = 1_000_000_000_000

var keySpend = []byte("composer_spend")

// loadSpend takes up the day where the store has it.
func (n *Node) loadSpend() error {
	n.spend.limit = n.cfg.ComposeBudget
	v, ok, err := n.cfg.Log.IndexGet(spaceSystem, keySpend)
	if err != nil || !ok {
		return err
	}
	var r reservation
	if err := json.Unmarshal(v, &r); err != nil {
		n.log.Warn("what the composer has cost today can't be read; it counts from 0", slog.String("cause", err.Error()))
		return nil
	}
	n.spend.day, n.spend.spent, n.spend.reserved = r.Day, r.Micros, r.Micros
	return nil
}

// reserve has the store remember a sum.
func (n *Node) reserve(r reservation) {
	value, err := json.Marshal(r)
	if err != nil {
		return // numbers always can
	}
	now := n.cfg.Clock.Now()
	e, err := systemEntry(streamSystem, now, "composer_spend_reserved", "", wal.IndexOp{Space: spaceSystem, Key: keySpend, Value: value})
	if err != nil {
		return
	}
	n.send(n.journal, &release{entry: e, at: now})
}
