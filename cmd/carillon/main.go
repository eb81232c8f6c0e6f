// Command carillon turns calendar events into text messages that arrive on
// time, once, and only when they are welcome. See carillon --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // the zones travel with the binary (T1)

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func main() {
	tuneProcessors()
	tuneCollector()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	p := &program{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		lookup: os.LookupEnv, environ: os.Environ(), signals: signals,
	}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}

// tuneProcessors lets one thread more run than there are processors, unless
// GOMAXPROCS says otherwise: the journal's waits for the disk most of the time,
// and Go counts it as running. On two processors that was worth 5 to 27 %.
func tuneProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// collectAt is how much garbage, in percent of what lives, may be there before
// it is collected. The collector took a fifth of the processor in a burst at
// Go's default of 100; at 300 the burst was 15 to 25 % faster.
const collectAt = 300

// memoryShare is the part of the memory that the process may have, by its
// control group or the machine, from which on the collector works harder
// instead of letting the heap grow.
const memoryShare = 0.7

// tuneCollector trades memory for time, unless GOGC or GOMEMLIMIT say
// otherwise.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// Where neither a control group nor the machine tells, Go's own default holds.
		_, _ = memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	}
}
