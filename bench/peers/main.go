package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"carillon/bench"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run is the sitting, or one of the roles in which it starts itself.
func run(args []string) error {
	if len(args) > 0 {
		switch rest := args[1:]; {
		case args[0] == "bench-child" && len(rest) == 1:
			return bench.Child(rest[0])
		case args[0] == natsRole && len(rest) == 3:
			return serveNATS(rest[0], rest[1], rest[2])
		case args[0] == "worker" && len(rest) == 3:
			return worker(rest[0], rest[1], rest[2])
		case args[0] == "once" && len(rest) == 1:
			var o once
			if err := json.Unmarshal([]byte(rest[0]), &o); err != nil {
				return err
			}
			go func() { // it ends with its parent, and its servers with it
				discard(os.Stdin)
				os.Exit(1)
			}()
			return o.run()
		}
	}
	s := sitting{}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.StringVar(&s.suite, "suite", "short", "quick, short or full")
	flags.StringVar(&s.carillon, "carillon", "../../bin/carillon", "the binary")
	flags.StringVar(&s.out, "out", "", "results file whose section is written; its JSON is beside it")
	flags.StringVar(&s.picture, "picture", "", "the SVG that is written")
	flags.StringVar(&s.dir, "dir", "", "where servers and stores have their folders")
	only := flags.String("systems", "", "only these, separated by semicolons")
	workloads := flags.String("workloads", "", "only these, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s.only, s.workloads = fields(*only, ";"), fields(*workloads, ",")
	return s.run()
}

func fields(list, by string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, by)
}

// sitting is one run of everything.
type sitting struct {
	suite, carillon, out, picture, dir string
	only, workloads                    []string
	results                            []bench.Result
	failed                             []string
}

// row is a workload with its sizes and runs.
type row struct {
	workload string
	n        int
	callers  int
	seconds  int
	runs     int
	pending  int
}

var suites = map[string][]row{
	"full": {
		{"schedule", 100_000, 64, 0, 5, 0},
		{"schedule", 200_000, 1024, 0, 3, 0},
		{"burst", 100_000, 0, 0, 5, 0},
		{"http-burst", 100_000, 0, 0, 3, 0},
		{"move", 100_000, 64, 0, 3, 0},
		{"steady", 0, 0, 60, 1, 100_000},
		{"restart", 100_000, 0, 0, 1, 0},
	},
	"short": {
		{"schedule", 100_000, 64, 0, 3, 0},
		{"schedule", 100_000, 1024, 0, 1, 0},
		{"burst", 100_000, 0, 0, 3, 0},
		{"http-burst", 100_000, 0, 0, 1, 0},
		{"move", 100_000, 64, 0, 1, 0},
		{"steady", 0, 0, 15, 1, 100_000},
		{"restart", 100_000, 0, 0, 1, 0},
	},
	"quick": {
		{"schedule", 5000, 64, 0, 1, 0},
		{"burst", 5000, 0, 0, 1, 0},
		{"http-burst", 5000, 0, 0, 1, 0},
		{"move", 5000, 64, 0, 1, 0},
		{"steady", 0, 0, 3, 1, 5000},
	},
}

func (s *sitting) run() error {
	rows, ok := suites[s.suite]
	if !ok {
		return fmt.Errorf("there is no suite %q", s.suite)
	}
	var err error
	if s.dir, err = os.MkdirTemp(s.dir, "carillon-peers-"); err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // PostgreSQL has another user
		return err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	for _, r := range rows {
		if len(s.workloads) > 0 && !slices.Contains(s.workloads, r.workload) {
			continue
		}
		if s.wanted("carillon") {
			s.note(s.measureCarillon(r))
		}
		for _, sys := range systems {
			if !s.wanted(sys.name) || slices.Contains(sys.lacks, r.workload) {
				continue
			}
			select {
			case sig := <-stop:
				return fmt.Errorf("stopped by %s", sig) // the children have had the signal too, or end with us
			default:
			}
			s.note(s.measure(sys, r))
		}
	}
	if err := s.write(); err != nil {
		return err
	}
	if len(s.failed) > 0 {
		return errors.New(strings.Join(s.failed, "; "))
	}
	return nil
}

func (s *sitting) wanted(name string) bool { return len(s.only) == 0 || slices.Contains(s.only, name) }

// note keeps a result; what failed is named at the end, and the others go on.
func (s *sitting) note(r bench.Result, err error) {
	if err != nil {
		s.failed = append(s.failed, fmt.Sprintf("%s, %s: %v", r.System, r.Title(), err))
		fmt.Fprintln(os.Stderr, "peers:", s.failed[len(s.failed)-1])
		return
	}
	s.results = append(s.results, r)
	if err := s.write(); err != nil {
		s.failed = append(s.failed, err.Error())
	}
	fmt.Printf("%-22s ", r.System)
	r.Print(os.Stdout)
}

// measure has a system's runs.
func (s *sitting) measure(sys system, r row) (bench.Result, error) {
	o := once{System: sys.name, Workload: r.workload, N: max(int(float64(r.n)*sys.share(r.workload)), min(r.n, 1000)), Callers: r.callers, Seconds: r.seconds, Pending: r.pending, Dir: s.dir}
	runs := r.runs
	if strings.HasSuffix(sys.name, "defaults") {
		runs = 1
	}
	var all []bench.Result
	for len(all) < runs {
		job, err := json.Marshal(o)
		if err != nil {
			return bench.Result{}, err
		}
		one, err := output(os.Args[0], "once", string(job))
		switch {
		case err != nil && o.Lead == 0:
			o.Lead = 20 // most likely it could not take the jobs in before they were due
		case err != nil:
			return bench.Result{System: sys.name, Workload: r.workload}, err
		default:
			all = append(all, one)
		}
	}
	res := bench.Median(all)
	if sys.lossy {
		res.Detail(bench.NotFlushed, 1)
	}
	return res, nil
}

// measureCarillon has carillon's, with the same payload, callers and numbers.
func (s *sitting) measureCarillon(r row) (bench.Result, error) {
	args := []string{"bench", r.workload, "--json", "--runs", fmt.Sprint(r.runs), "--dir", s.dir}
	switch r.workload {
	case "steady":
		args = append(args, "-n", fmt.Sprint(r.pending), "--per-second", fmt.Sprint(steadyRate), "--seconds", fmt.Sprint(r.seconds))
	case "restart":
		args = append(args, "-n", fmt.Sprint(r.n/10), "--burst", fmt.Sprint(r.n))
	default:
		args = append(args, "-n", fmt.Sprint(r.n), "--callers", fmt.Sprint(r.callers))
	}
	one, err := output(s.carillon, args...)
	one.System, one.Workload = "carillon", r.workload
	if err != nil {
		return one, err
	}
	switch r.workload {
	case "burst", "http-burst", "steady":
		one.Variant = ""
	case "restart":
		one.N, one.OpsPerS, one.P50, one.P99, one.Max = r.n, 0, 0, 0, 0
		one.Seconds = one.Details["burst_ready_s"] + one.Details["burst_done_after_ready_s"]
		one.Detail("done_after_start_s", one.Seconds)
		one.Detail("twice", one.Details["burst_twice"])
	}
	return one, nil
}

// output runs a program that prints one result.
func output(name string, args ...string) (r bench.Result, err error) {
	cmd := exec.Command(name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said // progress, and at the end why it failed
	if _, err := cmd.StdinPipe(); err != nil {
		return r, err
	}
	text, err := cmd.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return r, fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return r, json.Unmarshal(text, &r)
}

func (s *sitting) write() error {
	if s.out == "" || len(s.results) == 0 {
		return nil
	}
	base := strings.TrimSuffix(s.out, filepath.Ext(s.out))
	if err := bench.Save(base+"-peers.json", s.results); err != nil {
		return err
	}
	if err := s.section().Write(s.out); err != nil {
		return err
	}
	if s.picture == "" {
		return nil
	}
	own, err := bench.Load(base + ".json")
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(s.picture, []byte(bench.Picture(own, s.results)), 0o644)
}
