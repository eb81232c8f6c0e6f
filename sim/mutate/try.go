package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// work tries mutants in one copy of the module, until there are none left.
func (s *session) work(todo <-chan job, told func(outcome)) error {
	dir, err := os.MkdirTemp("", "carillon-mutate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, sources{os.DirFS(".")}); err != nil {
		return err
	}
	for m := range todo {
		o, err := s.try(dir, m)
		o.name, o.favors, o.err = m.name, m.favors, err
		told(o)
	}
	return nil
}

// try makes the change, plays, and takes it back.
func (s *session) try(dir string, m job) (o outcome, err error) {
	was := map[string][]byte{}
	defer func() {
		for path, b := range was {
			err = errors.Join(err, os.WriteFile(path, b, 0o600))
		}
	}()
	for i := 0; i < len(m.edits); i += 3 {
		path := filepath.Join(dir, m.edits[i])
		b, err := os.ReadFile(path)
		if err != nil {
			return o, err
		}
		if _, kept := was[path]; !kept {
			was[path] = b
		}
		if strings.Count(string(b), m.edits[i+1]) != 1 {
			return o, fmt.Errorf("%q is not there once in %s", m.edits[i+1], m.edits[i])
		}
		is := strings.Replace(string(b), m.edits[i+1], m.edits[i+2], 1)
		if err := os.WriteFile(path, []byte(is), 0o600); err != nil {
			return o, err
		}
	}
	return s.play(dir, m.favors)
}

// seedLimit is the processor time, in seconds, after which a seed is said not
// to end. The sound engine is held to a third of it (verdict).
const seedLimit = 30

const brokeDown = "(it breaks down)"

// play builds what is there and looks for a first violation.
func (s *session) play(dir, favors string) (o outcome, err error) {
	bin := filepath.Join(dir, "mutant")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", bin, "./sim/mutate/play")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return o, fmt.Errorf("%w: %s", err, out)
	}
	play := exec.Command(bin, "-seconds", fmt.Sprint(s.seconds), "-seeds", fmt.Sprint(s.seeds), "-from", fmt.Sprint(s.from), "-limit", fmt.Sprint(seedLimit), "-pace", s.pace, "-favor", favors)
	play.Dir = dir
	var said strings.Builder
	play.Stderr = &said
	out, err := play.Output()
	if err != nil {
		first, _, _ := strings.Cut(said.String(), "\n")
		return outcome{Seeds: 1, Checkers: []string{brokeDown}, All: []string{brokeDown}, What: first}, nil //nolint:nilerr // a mutant that breaks down is found
	}
	return o, json.Unmarshal(out, &o)
}
