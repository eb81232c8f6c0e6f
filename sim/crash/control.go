package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Control is a build with a bug that a harness claims to catch. It exists only
// for as long as a campaign runs: the source on the disk is not touched, the
// compiler gets other files in the place of some (go build -overlay).
type Control struct {
	Name    string
	Harness string // states, calls, damage or space
	edits   []edit
}

type edit struct{ file, is, shall string }

const (
	noSync       = "		NoSync:          true,\n		NoFreelistSync:  true, // see Close\n"
	honestSync   = "		NoFreelistSync:  true, // see Close\n"
	honestUpdate = "		return b.Update(fn)\n"
)

// Controls are all of them.
func Controls() []Control {
	return []Control{
		{"no flush at all", "states", []edit{{"wal/open.go", honestSync, noSync}}},
		{"no flush between pages and meta page", "states", []edit{
			{"wal/open.go", honestSync, noSync},
			{"wal/db.go", honestUpdate, "		if err := b.Update(fn); err != nil {\n			return err\n		}\n		return b.Sync()\n"},
		}},
		{"acknowledged before the flush", "states", []edit{
			{"wal/open.go", honestSync, noSync},
			{"wal/db.go", honestUpdate, "		_ = b.Sync()\n		return b.Update(fn)\n"},
		}},
		{"names changed before the side file is flushed", "states", []edit{
			{"wal/side.go", "	return f.Sync()\n", "	return nil\n"},
		}},
		{"checksums not looked at", "damage", []edit{
			{"wal/record.go", "if binary.BigEndian.Uint32(v) != chunkSum(key, v) {", "if len(key2(key)) > 8 {"},
			{"wal/record.go", "func chunkSum(", "func key2(k uint64) []byte { return u64key(k) }\n\nfunc chunkSum("},
			{"wal/record.go", "if !r.redacted && crc32.Update(c.before, castagnoli, b[5:at]) != r.chain {", "if false {"},
			{"wal/format.go", "if len(value) < 4 || binary.BigEndian.Uint32(value) != sealSum(key, value[4:]) {", "if len(value) < 4 {"},
		}},
		{"a failed flush is taken for done", "calls", []edit{
			{"wal/db.go", "	if err == nil {\n		return nil\n	}\n	if errors.Is(err, berrors", "	if err == nil || file != \"\" {\n		return nil\n	}\n	if errors.Is(err, berrors"},
		}},
		{"answers leave before the flush", "calls", []edit{
			{"actors/user.go", "	rel.unflushed = &u.unflushed\n	u.unflushed.Add(1)\n", "	if r != nil {\n		r.answer(d.Reply, nil)\n		rel.request = nil\n	}\n	rel.unflushed = &u.unflushed\n	u.unflushed.Add(1)\n"},
		}},
		{"no flush, on the real binary", "calls", []edit{{"wal/open.go", honestSync, noSync}}},
		{"the reserve is not looked at", "space", []edit{
			{"wal/space.go", "low := free < reserve || db.low.Load() && free < 2*reserve", "low := free < reserve && reserve == 0"},
		}},
	}
}

// worker says that a control needs nothing but the log.
func (c *Control) worker() bool { return c.Harness == "states" || c.Harness == "damage" }

// try builds a control and lets its harness look for the bug: how is what it says.
func (c *Control) try(ctx context.Context, o Options, dir string) (how string, err error) {
	bin, pkg := filepath.Join(dir, "control"), "./cmd/carillon"
	if c.worker() {
		pkg = "./sim/crash/worker"
	}
	if err := c.build(ctx, o.Source, pkg, bin); err != nil {
		return "", err
	}
	o.Child, o.Carillon, o.Env, o.Kept = []string{bin}, bin, nil, ""
	switch c.Harness {
	case "states":
		r, err := States(ctx, o, controlPatience)
		return r.Wrong, err
	case "damage":
		r, err := Damage(ctx, o, controlPatience)
		return r.Wrong, err
	case "space":
		r, err := Space(ctx, o)
		return r.Wrong, err
	}
	o.calls = "fdatasync"
	r, err := Calls(ctx, o, controlPatience)
	return r.Wrong, err
}

// controlPatience is how long a harness looks for the bug of a control.
const controlPatience = 12 * time.Second

// build makes the program of a package with the bug in it.
func (c *Control) build(ctx context.Context, source, pkg, to string) error {
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "carillon-control-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	changed, err := c.edited(source)
	if err != nil {
		return err
	}
	replace := map[string]string{}
	for path, text := range changed {
		other := filepath.Join(dir, fmt.Sprint(len(replace), ".go"))
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			return err
		}
		replace[path] = other
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-overlay", path, "-o", to, pkg)
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s can't be built: %w: %s", c.Name, err, out)
	}
	return nil
}

// edited returns the files as they shall be. Each place must be there once, so
// that a control that no longer fits says so.
func (c *Control) edited(source string) (map[string]string, error) {
	changed := map[string]string{}
	for _, e := range c.edits {
		path := filepath.Join(source, filepath.FromSlash(e.file))
		text, ok := changed[path]
		if !ok {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if strings.Count(text, e.is) != 1 {
			return nil, fmt.Errorf("control %q: %q is not there once in %s", c.Name, e.is, e.file)
		}
		changed[path] = strings.Replace(text, e.is, e.shall, 1)
	}
	return changed, nil
}
