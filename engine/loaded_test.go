package engine

import (
	"slices"
	"testing"
)

// The words are searched by halves.
func TestLoadedWordsAreSorted(t *testing.T) {
	if !slices.IsSorted(loadedWords) || len(slices.Compact(slices.Clone(loadedWords))) != len(loadedWords) {
		t.Error("not sorted, or one is there twice")
	}
	if !loaded("tomorrow") || loaded("ready") {
		t.Error("tomorrow is loaded, ready is not")
	}
}
