package engine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The house has floors (DESIGN 2), and imports go down only. These tests hold
// them for every package of the module; they live at the bottom, which
// imports nobody.

const (
	module = "carillon/"
	root   = ".."
)

// rooms are the folders that Go files may be in.
var rooms = []string{"engine", "actors", "wal", "httpapi", "sim", "bench", "cmd"}

// sourceFile is a Go file of the module: its folder, slash-separated, and
// what it imports of the module.
type sourceFile struct {
	folder, name string
	test         bool
	imports      []string // folders
	pkg          string
	comment      bool // it has a package comment
}

func house(t *testing.T) []sourceFile {
	t.Helper()
	var all []sourceFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		all = append(all, source(filepath.ToSlash(rel), file))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func source(rel string, file *ast.File) sourceFile {
	s := sourceFile{
		folder: path.Dir(rel), name: path.Base(rel), test: strings.HasSuffix(rel, "_test.go"),
		pkg: file.Name.Name, comment: file.Doc != nil,
	}
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && strings.HasPrefix(p, module) {
			s.imports = append(s.imports, strings.TrimPrefix(p, module))
		}
	}
	return s
}

// floor returns the floor of a folder, -1 if it is on none.
func floor(folder string) int {
	switch {
	case within(folder, "engine/sms"):
		return 0
	case within(folder, "engine/codec"), within(folder, "wal/waltest"), folder == "actors/provider", within(folder, "actors/provider/providertest"):
		return 2
	case within(folder, "engine"), within(folder, "wal"):
		return 1
	case within(folder, "actors"), within(folder, "httpapi"):
		return 3
	case within(folder, "sim"), within(folder, "bench"):
		return 4
	case within(folder, "cmd"):
		return 5
	}
	return -1
}

func within(folder, room string) bool {
	return folder == room || strings.HasPrefix(folder, room+"/")
}

// vendor returns the vendor's room that a folder is in, empty if it is in
// none.
func vendor(folder string) string {
	name, ok := strings.CutPrefix(folder, "actors/provider/")
	if name, _, _ = strings.Cut(name, "/"); !ok || name == "providertest" {
		return ""
	}
	return name
}

// breach says what is wrong with an import, empty if nothing is.
func breach(from, to string) string {
	switch {
	case within(to, "cmd") && !within(from, "cmd"):
		return "nobody imports cmd"
	case within(from, "wal") && within(to, "engine"):
		return "wal stores bytes"
	case within(from, "engine") && within(to, "wal"):
		return "the engine and its codec don't know the disk"
	case within(from, "httpapi") && (within(to, "actors") || within(to, "wal")):
		return "httpapi declares the interface that it needs"
	case within(from, "actors") && within(to, "httpapi"):
		return "actors don't know HTTP"
	case vendor(from) == "" && within(from, "actors") && vendor(to) != "":
		return "only the wiring names a vendor"
	case vendor(from) != "" && vendor(to) != "" && vendor(from) != vendor(to):
		return "vendors don't know each other"
	case vendor(from) != "" && within(to, "actors") && !within(to, "actors/provider"):
		return "a vendor fills a port and knows nothing above it"
	case floor(to) > floor(from):
		return "imports go down"
	case floor(to) == floor(from) && !within(from, to) && !within(to, from):
		return "no doors between the rooms of a floor"
	}
	return ""
}

// TestFloors holds the floors for everything that is built. Tests may reach
// across: a log is tested with its twin, a vendor with the conformance suite.
func TestFloors(t *testing.T) {
	for _, s := range house(t) {
		for _, to := range s.imports {
			if s.test && !within(to, "cmd") {
				continue
			}
			if what := breach(s.folder, to); what != "" {
				t.Errorf("%s/%s imports %s: %s", s.folder, s.name, to, what)
			}
		}
	}
}

// TestFloorsNotice keeps the test above from passing because it sees nothing.
func TestFloorsNotice(t *testing.T) {
	for _, bad := range [][2]string{
		{"engine", "engine/codec"},
		{"engine", "wal"},
		{"engine/sms", "engine"},
		{"engine/codec", "wal"},
		{"wal", "engine"},
		{"wal", "wal/waltest"},
		{"wal/waltest", "engine/codec"},
		{"actors", "httpapi"},
		{"actors", "actors/provider/twilio"},
		{"actors/provider", "actors"},
		{"actors/provider/twilio", "actors"},
		{"actors/provider/twilio", "actors/provider/sandbox"},
		{"actors/provider/twilio", "httpapi"},
		{"httpapi", "actors"},
		{"httpapi", "wal"},
		{"sim", "bench"},
		{"sim", "cmd/carillon"},
	} {
		if breach(bad[0], bad[1]) == "" {
			t.Errorf("%s may import %s", bad[0], bad[1])
		}
	}
	for _, good := range [][2]string{
		{"engine", "engine/sms"},
		{"engine/codec", "engine"},
		{"wal/waltest", "wal"},
		{"actors", "engine/codec"},
		{"actors", "actors/provider"},
		{"actors/provider/twilio", "actors/provider"},
		{"actors/provider/twilio/twiliotest", "actors/provider/twilio"},
		{"httpapi", "engine"},
		{"sim", "actors"},
		{"cmd/carillon", "actors/provider/twilio"},
	} {
		if what := breach(good[0], good[1]); what != "" {
			t.Errorf("%s may not import %s: %s", good[0], good[1], what)
		}
	}
}

// TestRooms keeps Go files inside the rooms of the house.
func TestRooms(t *testing.T) {
	for _, s := range house(t) {
		if !slices.ContainsFunc(rooms, func(room string) bool { return within(s.folder, room) }) {
			t.Errorf("%s/%s is in no room: %v", s.folder, s.name, rooms)
		}
	}
}

// TestPackageComments wants one comment per package, where a reader looks for
// it: in doc.go, main.go, or the file with the package's name.
func TestPackageComments(t *testing.T) {
	comments, packages := map[string][]string{}, map[string]bool{}
	for _, s := range house(t) {
		if s.test {
			continue
		}
		packages[s.folder] = true
		if !s.comment {
			continue
		}
		comments[s.folder] = append(comments[s.folder], s.name)
		if s.name != "doc.go" && s.name != "main.go" && s.name != s.pkg+".go" {
			t.Errorf("%s: the package comment is in %s", s.folder, s.name)
		}
	}
	for folder := range packages {
		if n := len(comments[folder]); n != 1 {
			t.Errorf("%s has %d package comments: %v", folder, n, comments[folder])
		}
	}
}
