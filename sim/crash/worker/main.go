// Command worker is a process with nothing but the log in it, for the controls
// of the store campaign: it is built in a second.
package main

import (
	"fmt"
	"os"

	"carillon/sim/crash"
)

func main() {
	if err := crash.Child(os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(3)
	}
}
