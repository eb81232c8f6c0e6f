package main

import (
	"fmt"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"

	"carillon/bench"
)

// section is what the results file says of the sitting.
func (s *sitting) section() bench.Section {
	first := s.results[0]
	var b strings.Builder
	fmt.Fprintf(&b, "## carillon beside its peers on %s\n\n", first.Machine)
	fmt.Fprintf(&b, "`make bench-peers PEERS=%s` on %s at commit `%s`: all in turn and in one sitting, client, server and stub on the same\nprocessors, a server and a process of its own for each run. The payload is the same JSON of %d bytes for all. A row is\nthe median of its runs; noise is the share of the processors that other programs used at most. Ratio is carillon's per\nsecond to theirs.\n\n", s.suite, first.Date, first.Commit, bench.PayloadBytes)
	var titles []string
	for _, r := range s.results {
		if !slices.Contains(titles, r.Title()) {
			titles = append(titles, r.Title())
		}
	}
	for _, title := range titles {
		s.table(&b, title)
	}
	b.WriteString("Versions: " + strings.Join(versions(), ", ") + ".\n\nSettings:\n\n")
	b.WriteString("- carillon: 4,096 hand-overs at a time in process and 256 over HTTP, 64 in restart; every answer and both records of a hand-over are flushed.\n")
	for _, sys := range systems {
		fmt.Fprintf(&b, "- %s: %s\n", sys.name, sys.settings)
	}
	return bench.Section{Key: "peers " + first.Machine, Text: b.String()}
}

// table is one workload of all systems.
func (s *sitting) table(b *strings.Builder, title string) {
	var own bench.Result
	for _, r := range s.results {
		if r.Title() == title && r.System == "carillon" {
			own = r
		}
	}
	if strings.HasPrefix(title, "restart") {
		s.restarts(b)
		return
	}
	fmt.Fprintf(b, "%s:\n\n| system | n | per second | ratio | p50 ms | p99 ms | max ms | early | CPU µs each | memory MB | disk MB | runs | spread | noise |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n", title)
	for _, r := range s.results {
		if r.Title() != title {
			continue
		}
		ratio := "–"
		if own.OpsPerS > 0 && r.System != "carillon" && !strings.HasPrefix(title, "steady") {
			ratio = fmt.Sprintf("%.1f", own.OpsPerS/r.OpsPerS)
		}
		fmt.Fprintf(b, "| %s | %d | %.0f | %s | %.2f | %.2f | %.1f | %.0f | %.1f | %.0f | %.0f | %d | %.0f %% | %.0f %% |\n",
			r.System, r.N, r.OpsPerS, ratio, r.P50, r.P99, r.Max, r.Details["early"], r.Details["cpu_us_per_op"], r.RSS, r.Disk, r.Runs, 100*r.Spread, r.Noise)
	}
	b.WriteString("\n")
}

func (s *sitting) restarts(b *strings.Builder) {
	b.WriteString("restart, killed with SIGKILL when half of a burst had reached the carrier; carillon's store is cold, the peers' servers live on:\n\n| system | burst | all at the carrier after, s | texted twice |\n|---|--:|--:|--:|\n")
	for _, r := range s.results {
		if r.Workload == "restart" {
			fmt.Fprintf(b, "| %s | %d | %.1f | %.0f |\n", r.System, r.N, r.Details["done_after_start_s"], r.Details["twice"])
		}
	}
	b.WriteString("\n")
}

// versions are those of servers and libraries.
func versions() (all []string) {
	for _, cmd := range [][]string{{"redis-server", "--version"}, {postgresBinary("postgres"), "--version"}} {
		out, err := exec.Command(cmd[0], cmd[1:]...).Output()
		if err != nil {
			continue
		}
		text := strings.TrimSpace(string(out))
		if f := strings.Fields(text); len(f) > 3 && strings.HasPrefix(f[2], "v=") {
			text = "Redis " + f[2][2:]
		}
		all = append(all, text)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return all
	}
	for _, d := range info.Deps {
		switch d.Path {
		case "github.com/hibiken/asynq", "github.com/riverqueue/river", "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go", "github.com/jackc/pgx/v5":
			all = append(all, d.Path+" "+d.Version)
		}
	}
	return all
}
