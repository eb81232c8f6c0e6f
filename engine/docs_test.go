package engine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const defectsDoc = root + "/docs/seed-defects.md"

// defects are the ids that need a line, by letter.
var defects = map[string]int{"S": 20, "Q": 12, "D": 24, "W": 13, "C": 14, "G": 8, "M": 7, "P": 7}

var (
	defectRow    = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| (.+) \| (.+) \| (.+) \|$`)
	testName     = regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz|Example)\\w*)`")
	scenarioName = regexp.MustCompile(`\{name: "((?:[A-Z]\d+ )+)`)
	storyName    = regexp.MustCompile("`([a-z0-9_]+\\.txt)`")
	noTest       = regexp.MustCompile(`Cannot arise: |Not built yet: `)
)

// TestSeedDefects holds docs/seed-defects.md to the tree: every defect has one
// line, and every line names tests that exist or says in words why there is
// none.
func TestSeedDefects(t *testing.T) {
	text, err := os.ReadFile(defectsDoc)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range badLines(string(text), testsOf(t)) {
		t.Error(what)
	}
	scenarios, err := os.ReadFile(root + "/sim/scenario_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if what := unlike(string(text), string(scenarios)); len(what) > 0 {
		t.Errorf("the table and the scenarios of the simulation differ about %v", what)
	}
}

// unlike names the defects that a scenario is about and whose line does not
// say so, and the other way round.
func unlike(text, scenarios string) (ids []string) {
	played := map[string]bool{}
	for _, m := range scenarioName.FindAllStringSubmatch(scenarios, -1) {
		for id := range strings.FieldsSeq(m[1]) {
			played[id] = true
		}
	}
	for _, row := range defectRow.FindAllStringSubmatch(text, -1) {
		if strings.Contains(row[4], "`sim.TestScenarios`") != played[row[1]] {
			ids = append(ids, row[1])
		}
		delete(played, row[1])
	}
	return slices.AppendSeq(ids, maps.Keys(played))
}

// TestScenariosNotice keeps unlike from seeing nothing.
func TestScenariosNotice(t *testing.T) {
	const row = "| S1 | what | P1 | `sim.TestScenarios` |\n"
	for scenario, differ := range map[string]int{
		"\t{name: \"S1 midnights\", at: x},": 0, "\t{name: \"S1 S2 midnights\", at: x},": 1, "\t{name: \"midnights\"},": 1,
	} {
		if got := unlike(row, scenario); len(got) != differ {
			t.Errorf("%s: %v", scenario, got)
		}
	}
}

// TestSeedDefectsNotice keeps the test above from passing because it sees
// nothing.
func TestSeedDefectsNotice(t *testing.T) {
	tests := map[string]bool{"engine.TestLaws": true}
	const row = "| %s | what | P1 | %s |\n"
	for by, bad := range map[string]bool{
		"`engine.TestLaws`":                           false,
		"`engine.TestLaws`, `p1_midnight.txt`":        false,
		"Not built yet: there is none.":               false,
		"`engine.TestGone`":                           true,
		"`engine.TestLaws`, `wal.TestLaws`":           true,
		"`p0_gone.txt`":                               true,
		"we are careful":                              true,
		"Not built yet: there is none. `p0_gone.txt`": true,
	} {
		var all strings.Builder
		for letter, n := range defects {
			for i := range n {
				fmt.Fprintf(&all, row, fmt.Sprint(letter, i+1), "`engine.TestLaws`")
			}
		}
		good := all.String()
		if got := badLines(strings.Replace(good, "| S7 | what | P1 | `engine.TestLaws` |", "| S7 | what | P1 | "+by+" |", 1), tests); (len(got) > 0) != bad {
			t.Errorf("%s: %q", by, got)
		}
		for _, broken := range []string{strings.Replace(good, "| D12 |", "| D1 |", 1), strings.Replace(good, "| D12 |", "| D99 |", 1)} {
			if len(badLines(broken, tests)) == 0 {
				t.Error("a line is missing, and nobody says so")
			}
		}
	}
}

// namedTests counts the tests that a line names, and says which of them there are not.
func namedTests(id, by string, tests map[string]bool) (named int, missing []string) {
	for _, m := range testName.FindAllStringSubmatch(by, -1) {
		if named++; !tests[m[1]] {
			missing = append(missing, fmt.Sprintf("%s: there is no test %s", id, m[1]))
		}
	}
	return named, missing
}

// badLines says what is wrong with the table.
func badLines(text string, tests map[string]bool) (wrong []string) {
	seen := map[string]bool{}
	for _, row := range defectRow.FindAllStringSubmatch(text, -1) {
		id, by := row[1], row[4]
		if seen[id] {
			wrong = append(wrong, id+" has two lines")
		}
		seen[id] = true
		named, missing := namedTests(id, by, tests)
		wrong = append(wrong, missing...)
		for _, m := range storyName.FindAllStringSubmatch(by, -1) {
			if _, err := os.Stat("testdata/stories/" + m[1]); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: there is no story %s", id, m[1]))
			}
			named++
		}
		if named == 0 && !noTest.MatchString(by) {
			wrong = append(wrong, id+" names no test and does not say why")
		}
	}
	want := 0
	for letter, n := range defects {
		want += n
		for i := range n {
			if id := fmt.Sprint(letter, i+1); !seen[id] {
				wrong = append(wrong, id+" has no line")
			}
		}
	}
	if len(seen) != want {
		wrong = append(wrong, fmt.Sprintf("%d defects, want %d", len(seen), want))
	}
	return wrong
}

// testsOf lists the tests of the module as "folder.TestName", by the last
// part of the folder.
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, s := range house(t) {
		if !s.test {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, s.folder, s.name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				all[path.Base(s.folder)+"."+fn.Name.Name] = true
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d tests: this sees nothing", len(all))
	}
	return all
}
