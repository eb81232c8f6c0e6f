package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/sim"
)

// TestMutantsFit: each change finds the one place that it is for. Who changes
// that place changes the mutant with it.
func TestMutantsFit(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		names[m.name] = true
		sources := map[string]string{}
		for i := 0; i < len(m.edits); i += 3 {
			file := m.edits[i]
			if _, read := sources[file]; !read {
				b, err := os.ReadFile(filepath.Join("..", "..", file))
				if err != nil {
					t.Fatal(err)
				}
				sources[file] = string(b)
			}
			if n := strings.Count(sources[file], m.edits[i+1]); n != 1 {
				t.Errorf("%s: %q is there %d times in %s", m.name, m.edits[i+1], n, file)
			}
			sources[file] = strings.Replace(sources[file], m.edits[i+1], m.edits[i+2], 1)
		}
	}
	for name, corner := range favored {
		if !names[name] || !slices.Contains(sim.Corners, corner) && !slices.Contains(sim.Named, corner) {
			t.Errorf("%s, favored by seeds of %s, is no mutant, or that is no corner", name, corner)
		}
	}
}
