//go:build linux

// Command campaign runs carillon as a process and breaks what is around it;
// see package proc. It is not part of carillon's own command line, so that
// what breaks networks stays out of the binary that is deployed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"carillon/sim/proc"
)

func main() {
	proc.Enter()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		os.Exit(1)
	}
}

func run() error {
	var opt proc.Options
	rounds, asJSON, verbose := "", false, false
	flag.StringVar(&opt.Binary, "binary", "bin/carillon", "the carillon that is run")
	flag.Uint64Var(&opt.Seed, "seed", 0, "number that everything is drawn from; 0 takes one from the clock")
	flag.IntVar(&opt.Seconds, "seconds", 180, "how long things are broken; healing comes on top")
	flag.IntVar(&opt.Clients, "clients", 0, "people at a time; 0 is 10")
	flag.StringVar(&rounds, "rounds", "", "only these faults of the process: "+strings.Join(proc.RoundNames(), ","))
	flag.StringVar(&opt.OnUncertain, "on-uncertain", "reconcile", "carillon's setting; resend may text twice, and must be reported")
	flag.BoolVar(&opt.Calm, "calm", false, "leave the network alone")
	flag.StringVar(&opt.Keep, "keep", "", "folder for the store and the carrier's book when something was wrong")
	flag.BoolVar(&asJSON, "json", false, "print one JSON object")
	flag.BoolVar(&verbose, "v", false, "say what happens, on stderr")
	flag.Parse()
	if rounds != "" {
		opt.Rounds = strings.Split(rounds, ",")
	}
	if opt.Seed == 0 {
		opt.Seed = uint64(time.Now().UnixMilli())
	}
	if verbose {
		opt.Log = os.Stderr
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := proc.Run(ctx, opt)
	if said, e := exec.CommandContext(ctx, opt.Binary, "version").Output(); e == nil {
		r.Version = strings.TrimSpace(string(said))
	}
	if err == nil {
		err = r.Verdict()
	}
	if asJSON {
		_ = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		r.Print(os.Stdout)
	}
	return err
}
