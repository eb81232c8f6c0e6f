package sim

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestCheckersAreListed: who speaks up is in the list, and the list names
// nobody else.
func TestCheckersAreListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	speaks := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.fail\("([a-z_]+)"`).FindAllSubmatch(b, -1) {
			speaks[string(m[1])] = true
		}
	}
	var listed []string
	for _, c := range Checkers {
		listed = append(listed, c.Name)
	}
	if said := slices.Sorted(maps.Keys(speaks)); !slices.Equal(said, listed) {
		t.Errorf("listed are %v, and %v speak up", listed, said)
	}
}
