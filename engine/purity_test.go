package engine_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the core may import. None of it waits, asks the machine, or has a
// state of its own; a package that is not here needs a reason and a line.
var pureImports = []string{
	"cmp", "crypto/sha256", "encoding/base32", "encoding/binary", "errors", "fmt", "math", "slices", "strconv", "strings",
	"time", "unicode", "unicode/utf8",
}

// impure are functions of allowed packages that read a clock or the machine,
// or write.
var impure = map[string][]string{
	"time": {"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick", "Local", "LoadLocation"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// TestPurity holds DESIGN 2: the core has no goroutine, channel, map order,
// clock, randomness, I/O or variable of its own. So the same input gives the
// same events for ever.
func TestPurity(t *testing.T) {
	known := exported(t)
	for dir, more := range map[string][]string{
		".": {"carillon/engine/sms"}, "sms": nil,
		"codec": {"carillon/engine", "google.golang.org/protobuf/encoding/protowire"},
	} {
		fset := token.NewFileSet()
		files := parseDir(t, fset, dir)
		for _, fault := range impurities(t, fset, files, known, append(slices.Clone(pureImports), more...)) {
			t.Error(fault)
		}
	}
}

// TestPurityNotices keeps the test above from passing because it sees nothing.
func TestPurityNotices(t *testing.T) {
	known := exported(t)
	for name, test := range map[string]struct{ source, says string }{
		"goroutine":       {`func f() { go f() }`, "goroutine"},
		"channel":         {`func f(c chan int) {}`, "channel"},
		"send":            {`type c = chan int; func f(x c) { x <- 1 }`, "channel"},
		"select":          {`func f() { select {} }`, "select"},
		"map range":       {`func f(m map[int]int) { for range m {} }`, "order of a map"},
		"named map range": {`type set map[string]bool; func f(s set) { for k := range s { _ = k } }`, "order of a map"},
		"generic range":   {`func f[M ~map[int]int](m M) { for range m {} }`, "order of a map"},
		"import":          {`import "os"; var _ = os.Getpid`, `import "os"`},
		"maps":            {`import "maps"; var _ = maps.Keys[map[int]int]`, `import "maps"`},
		"clock":           {`import "time"; func f() time.Time { return time.Now() }`, "time.Now"},
		"renamed clock":   {`import wall "time"; var f = wall.Since`, "time.Since"},
		"local zone":      {`import "time"; func f(t time.Time) time.Time { return t.In(time.Local) }`, "time.Local"},
		"local method":    {`import "time"; func f(t time.Time) time.Time { return t.Local() }`, "time.Local"},
		"own state":       {`var n int; func f() { n++ }`, "variable of the package"},
		"own map":         {`var m = map[int]int{}; func f() { m[1] = 2 }`, "variable of the package"},
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "bad.go", "package bad\n"+test.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		faults := impurities(t, fset, []*ast.File{file}, known, pureImports)
		if !strings.Contains(strings.Join(faults, "\n"), test.says) {
			t.Errorf("%s: said %q, want %q", name, faults, test.says)
		}
	}
}

func parseDir(t *testing.T, fset *token.FileSet, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatalf("no source in %s", dir)
	}
	return files
}

// exported finds what the compiler knows of a package, so that types can be
// looked at: an alias, a named type or a type parameter may hide a map.
func exported(t *testing.T) importer.Lookup {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./...", "maps", "os")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			files[path] = file
		}
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// impurities lists what breaks the rules, with its place.
func impurities(t *testing.T, fset *token.FileSet, files []*ast.File, known importer.Lookup, allowed []string) []string {
	t.Helper()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", known)}
	pkg, err := conf.Check(files[0].Name.Name, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	add := func(at ast.Node, what string) {
		faults = append(faults, fmt.Sprintf("%s: %s", fset.Position(at.Pos()), what))
	}
	owned := func(e ast.Expr) bool { return isOwned(pkg, info, e) }
	for _, file := range files {
		for _, spec := range file.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err != nil || !slices.Contains(allowed, path) {
				add(spec, "import "+spec.Path.Value)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				add(n, "a goroutine")
			case *ast.SelectStmt:
				add(n, "select")
			case *ast.ChanType, *ast.SendStmt:
				add(n, "a channel")
			case *ast.RangeStmt:
				if _, ok := core(info.TypeOf(n.X)).(*types.Map); ok {
					add(n, "the order of a map")
				}
			case *ast.Ident:
				if what := impureUse(info.Uses[n]); what != "" {
					add(n, what)
				}
			case *ast.IncDecStmt:
				if owned(n.X) {
					add(n, "a variable of the package changes")
				}
			case *ast.AssignStmt:
				if slices.ContainsFunc(n.Lhs, owned) {
					add(n, "a variable of the package changes")
				}
			}
			return true
		})
	}
	return faults
}

// core returns what a type is made of, for a type parameter too.
func core(typ types.Type) types.Type {
	p, ok := types.Unalias(typ).(*types.TypeParam)
	if !ok {
		return typ.Underlying()
	}
	for u := range p.Constraint().Underlying().(*types.Interface).EmbeddedTypes() {
		if union, ok := u.(*types.Union); ok && union.Len() > 0 {
			return union.Term(0).Type().Underlying()
		}
		return u.Underlying()
	}
	return typ.Underlying()
}

func impureUse(obj types.Object) string {
	if obj == nil || obj.Pkg() == nil || !slices.Contains(impure[obj.Pkg().Path()], obj.Name()) {
		return ""
	}
	if f, ok := obj.(*types.Func); ok && f.Signature().Recv() != nil && obj.Name() != "Local" {
		return "" // Time.After compares
	}
	return obj.Pkg().Path() + "." + obj.Name()
}

// isOwned reports whether what is assigned to belongs to a variable of the
// package.
func isOwned(pkg *types.Package, info *types.Info, e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			v, ok := info.Uses[x].(*types.Var)
			return ok && v.Parent() == pkg.Scope()
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return false
		}
	}
}
