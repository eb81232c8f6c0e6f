// Command carillon turns calendar events into text messages that arrive on
// time, once, and only when they are welcome. See carillon --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the zones travel with the binary (T1)
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	p := &program{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		lookup: os.LookupEnv, environ: os.Environ(), signals: signals,
	}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}
