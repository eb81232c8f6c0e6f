package engine_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const rulesDoc = root + "/docs/rules.md"

var (
	ruleRow     = regexp.MustCompile(`(?m)^\| ([TPCXSDNW]\d+) \| .+ \| (.+) \|$`)
	ruleCited   = regexp.MustCompile(`\b[TPCXSDNW]\d{1,2}\b`)
	storiesOf   = regexp.MustCompile("`([a-z0-9_]+_)…`")
	storyOfRule = regexp.MustCompile(`^([tpcxsdnw]\d+)_`)
)

// TestRulesAreTold holds docs/rules.md to the tree: what it names is there,
// each story that is named after a rule is in that rule's row, and each rule
// that the code cites has a row.
func TestRulesAreTold(t *testing.T) {
	text, err := os.ReadFile(rulesDoc)
	if err != nil {
		t.Fatal(err)
	}
	stories, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range stories {
		stories[i] = filepath.Base(name)
	}
	for _, what := range badRules(string(text), stories, citedRules(t), testsOf(t)) {
		t.Error(what)
	}
}

// TestRulesNotice keeps badRules from seeing nothing.
func TestRulesNotice(t *testing.T) {
	stories, tests := []string{"p1_midnight.txt", "send_now.txt"}, map[string]bool{"engine.TestLaws": true}
	const good = "| P1 | what | stories `p1_…`, `engine.TestLaws` |\n| S3 | what | `engine.TestLaws` |\n"
	if got := badRules(good, stories, []string{"P1", "S3"}, tests); len(got) > 0 {
		t.Errorf("%q", got)
	}
	for what, text := range map[string]string{
		"a story":      strings.Replace(good, "`p1_…`", "`p2_…`", 1),
		"its story":    strings.Replace(good, "stories `p1_…`, ", "", 1),
		"a test":       strings.Replace(good, "TestLaws` |\n| S3", "TestGone` |\n| S3", 1),
		"nothing":      strings.Replace(good, "| `engine.TestLaws` |", "| we are careful |", 1),
		"a cited rule": strings.Replace(good, "| S3 |", "| S4 |", 1),
		"a rule twice": good + "| S3 | what | `engine.TestLaws` |\n",
	} {
		if len(badRules(text, stories, []string{"P1", "S3"}, tests)) == 0 {
			t.Errorf("%s: nobody says so", what)
		}
	}
}

// badRules says what is wrong with the tables.
func badRules(text string, stories, cited []string, tests map[string]bool) (wrong []string) {
	told := map[string]string{}
	for _, row := range ruleRow.FindAllStringSubmatch(text, -1) {
		id, by := row[1], row[2]
		if _, twice := told[id]; twice {
			wrong = append(wrong, id+" has two rows")
		}
		told[id] = by
		named, missing := namedTests(id, by, tests)
		wrong = append(wrong, missing...)
		for _, m := range storiesOf.FindAllStringSubmatch(by, -1) {
			begins := func(story string) bool { return strings.HasPrefix(story, m[1]) }
			if named++; !slices.ContainsFunc(stories, begins) {
				wrong = append(wrong, fmt.Sprintf("%s: there is no story %s…", id, m[1]))
			}
		}
		if named == 0 {
			wrong = append(wrong, id+" names neither test nor story")
		}
	}
	for _, story := range stories {
		if m := storyOfRule.FindStringSubmatch(story); m != nil && !strings.Contains(told[strings.ToUpper(m[1])], "`"+m[0]+"…`") {
			wrong = append(wrong, story+" is not in the row of its rule")
		}
	}
	for _, id := range cited {
		if told[id] == "" {
			wrong = append(wrong, id+" is cited, and has no row")
		}
	}
	return wrong
}

// citedRules are the rules that comments of the production code name.
func citedRules(t *testing.T) (ids []string) {
	t.Helper()
	for _, s := range house(t) {
		if s.test || floor(s.folder) > 3 {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, s.folder, s.name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range file.Comments {
			ids = append(ids, ruleCited.FindAllString(c.Text(), -1)...)
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) < 30 {
		t.Fatalf("only %d rules are cited: this sees nothing", len(ids))
	}
	return ids
}
