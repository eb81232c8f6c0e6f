package crash

import (
	"fmt"
	"strings"
)

// claims are what the worker has said up to an instant: what may be on the
// disk, and what has to be.
type claims struct {
	opened           bool
	tried, acked     uint64 // last record
	snapTried, snaps map[string]uint64
	from, fromTried  uint64 // replay
	first            uint64 // compacted below
	blankTried       map[string]uint64
	blanked          map[string]uint64
}

func newClaims() *claims {
	return &claims{
		snapTried: map[string]uint64{}, snaps: map[string]uint64{}, from: 1, fromTried: 1, first: 1,
		blankTried: map[string]uint64{}, blanked: map[string]uint64{},
	}
}

// hear takes one line of the worker.
func (c *claims) hear(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	var name string
	var seq uint64
	var err error
	switch word {
	case "O":
		c.opened = true
		return nil
	case "Q":
		return nil
	case "a", "A", "r", "R", "C":
		_, err = fmt.Sscan(rest, &seq)
	default:
		_, err = fmt.Sscan(rest, &name, &seq)
	}
	if err != nil {
		return fmt.Errorf("the worker says %q: %w", line, err)
	}
	switch word {
	case "a":
		c.tried = seq
	case "A":
		c.acked = seq
	case "r":
		c.fromTried = seq
	case "R":
		c.from = seq
	case "C":
		c.first = seq
	case "s":
		c.snapTried[name] = seq
	case "S":
		c.snaps[name] = seq
	case "d":
		delete(c.snaps, name)
	case "x":
		c.blankTried[name] = seq
	case "X":
		c.blanked[name] = seq
	default:
		return fmt.Errorf("the worker says %q", line)
	}
	return nil
}
