// Command mutate breaks the engine on purpose, one small change at a time in a
// copy of the module, and reports which of the changes the simulation finds,
// by which checker, after how many seeds. A change that is not found names the
// checker to write next.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// summary is what `carillon sim campaign --json` prints, as far as it is of
// interest here.
type summary struct {
	Seeds      int
	Seconds    float64
	Violations map[string]int
}

func main() {
	seconds := flag.Int("seconds", 60, "how long a change is looked for")
	only := flag.String("only", "", "the one change to try; empty: all")
	from := flag.Uint64("from", 1, "first seed")
	flag.Parse()
	if err := run(*seconds, *only, *from); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(seconds int, only string, from uint64) error {
	dir, err := os.MkdirTemp("", "carillon-mutate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, sources{os.DirFS(".")}); err != nil {
		return err
	}
	if only == "" {
		s, err := play(dir, min(seconds, 20), from)
		if err != nil || len(s.Violations) > 0 {
			return fmt.Errorf("the engine as it is: %v, %w", s.Violations, err)
		}
		say("%-28s sound, %d seeds\n", "(nothing changed)", s.Seeds)
	}
	found, tried := 0, 0
	for _, m := range mutants {
		if only != "" && m.name != only {
			continue
		}
		tried++
		s, err := m.try(dir, seconds, from)
		switch {
		case err != nil:
			say("%-28s CAN'T BE PLAYED: %v\n", m.name, err)
		case len(s.Violations) == 0:
			say("%-28s NOT FOUND in %d seeds\n", m.name, s.Seeds)
		default:
			found++
			say("%-28s found after %d seeds by %s\n", m.name, s.Seeds, names(s.Violations))
		}
	}
	say("%d of %d found\n", found, tried)
	return nil
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format, args...) }

func names(m map[string]int) string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// try makes the change, plays, and takes it back.
func (m *mutant) try(dir string, seconds int, from uint64) (s summary, err error) {
	for i := 0; i < len(m.edits); i += 3 {
		path := filepath.Join(dir, m.edits[i])
		was, err := os.ReadFile(path)
		if err != nil {
			return s, err
		}
		if strings.Count(string(was), m.edits[i+1]) != 1 {
			return s, fmt.Errorf("%q is not there once in %s", m.edits[i+1], m.edits[i])
		}
		is := strings.Replace(string(was), m.edits[i+1], m.edits[i+2], 1)
		if err := os.WriteFile(path, []byte(is), 0o600); err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, os.WriteFile(path, was, 0o600)) }()
	}
	return play(dir, seconds, from)
}

// play builds what is there and looks for a first violation.
func play(dir string, seconds int, from uint64) (s summary, err error) {
	bin := filepath.Join(dir, "mutant")
	build := exec.Command("go", "build", "-o", bin, "./cmd/carillon")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return s, fmt.Errorf("%w: %s", err, out)
	}
	limit, cancel := context.WithTimeout(context.Background(), time.Duration(seconds+90)*time.Second)
	defer cancel()
	campaign := exec.CommandContext(limit, bin, "sim", "campaign", "--kept", "", "--first", "--json",
		"--seconds", fmt.Sprint(seconds), "--from", fmt.Sprint(from))
	campaign.Dir = dir
	out, err := campaign.Output()
	if limit.Err() != nil {
		return summary{Violations: map[string]int{"(it does not end)": 1}}, nil
	}
	if len(out) == 0 {
		return s, fmt.Errorf("the campaign says nothing: %w", err)
	}
	return s, json.Unmarshal(out, &s) // that it fails is the point
}
