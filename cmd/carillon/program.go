package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"carillon/wal"
)

// Exit codes (SPEC 10).
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitStorage = 3
)

// program is carillon with the world handed in, so that a test can start it.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(name string) (string, bool)
	environ        []string
	signals        <-chan os.Signal

	args []string // the command line, for reports that name it

	// listening is told the address when requests can come; nil: nobody asks.
	listening func(address string)
}

// commands is the command line.
type commands struct {
	Serve   serveCmd      `cmd:"" help:"Run the engine and its HTTP API."`
	Demo    demoCmd       `cmd:"" help:"Run on loopback with the sandbox carrier, a store that goes again, and people whose events start in the next minutes."`
	Check   checkCmd      `cmd:"" help:"Read a store, replay it, and hold the invariants."`
	Log     logCmd        `cmd:"" help:"Print the journal of a user."`
	Backup  backupCmd     `cmd:"" help:"Copy a store, or that of a running engine, into one file."`
	Restore restoreCmd    `cmd:"" help:"Build a store from a backup."`
	Export  exportCmd     `cmd:"" help:"Write users and their events as NDJSON that import reads."`
	Import  importCmd     `cmd:"" help:"Carry out the requests of an NDJSON file on a store, or through a running engine."`
	Keys    keysCmd       `cmd:"" help:"Add, list and revoke API keys."`
	Bench   benchCmd      `cmd:"" help:"Measure a workload on this machine."`
	Child   benchChildCmd `cmd:"" name:"bench-child" hidden:"" help:"A process of a benchmark."`
	Sim     simCmd        `cmd:"" help:"Simulate: the engine in a world with every fault, drawn from a seed."`
	Version versionCmd    `cmd:"" help:"Print the version."`
}

// run carries out a command line and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	var c commands
	code := -1
	p.args = args
	settings, err := p.sources(args)
	if err != nil {
		return p.fail(exitUsage, err)
	}
	parser, err := kong.New(&c,
		kong.Name("carillon"), vars,
		kong.Description("SMS reminders for calendar events: on time, once, and only when they are welcome. Every setting is a flag, a variable (--data-dir is CARILLON_DATA_DIR) and a key of the YAML file (data_dir); the first that is given wins, in this order."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(n int) { code = n; panic(exited{}) }),
		kong.Resolvers(settings...),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		return p.fail(exitFailed, err)
	}
	parsed, err := parse(parser, args)
	if code >= 0 {
		return code
	}
	if err != nil {
		return p.fail(exitUsage, p.blame(err))
	}
	p.warnUnknown(parser)
	if err := parsed.Run(); err != nil {
		return p.fail(exitCode(err), err)
	}
	return exitOK
}

// commandLine is how this was started.
func (p *program) commandLine() string {
	return strings.Join(append([]string{"carillon"}, p.args...), " ")
}

// exited ends a parse that has printed help.
type exited struct{}

func parse(parser *kong.Kong, args []string) (c *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exited); !ok {
				panic(r)
			}
		}
	}()
	return parser.Parse(args)
}

// fail prints one line.
func (p *program) fail(code int, err error) int {
	_, _ = fmt.Fprintln(p.stderr, "carillon: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	return code
}

// usageError is a mistake in the settings that only shows when they are used
// together.
type usageError struct{ error }

// storageError is a failure of the disk or of what is on it.
type storageError struct{ error }

// Unwrap returns the cause.
func (e storageError) Unwrap() error { return e.error }

// Unwrap returns the cause.
func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var usage usageError
	var storage storageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &storage), isStorage(err):
		return exitStorage
	}
	return exitFailed
}

// isStorage reports the errors of the log.
func isStorage(err error) bool {
	for _, target := range []error{
		wal.ErrConflict, wal.ErrUnknownOutcome, wal.ErrPoisoned, wal.ErrLocked, wal.ErrNewerFormat, wal.ErrForeign,
		wal.ErrMissing, wal.ErrStale, wal.ErrCorrupt, wal.ErrNotEmpty, wal.ErrUnfinished, wal.ErrNoSpace, wal.ErrCompacted,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// commit is what the Makefile says that this is built from: the go command does
// not look for that everywhere.
var commit string

// version is the build's, from the module, the version control or the Makefile.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	revision := commit
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value[:min(len(s.Value), 12)]
		}
	}
	if bare, _, _ := strings.Cut(revision, "+"); bare != "" && !strings.Contains(v, bare) {
		v += " " + revision
	}
	return v
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "carillon", version())
	return err
}
