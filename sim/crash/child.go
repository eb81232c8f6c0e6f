package crash

import (
	"fmt"
	"io"
	"strconv"
)

// Child is what a process does that a campaign has started: work or
// damage, a folder, a seed, and how many rounds.
func Child(args []string, out io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("crash: what to do, folder, seed, number")
	}
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	switch args[0] {
	case "work":
		return Work(args[1], seed, n, out)
	case "damage":
		return damageWork(args[1], seed, n, out)
	default:
		return fmt.Errorf("crash: %q is nothing to do", args[0])
	}
}
