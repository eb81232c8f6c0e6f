package bench

import "os"

// Options of a workload. Zeros take the workload's own sizes.
type Options struct {
	Dir       string `json:"dir,omitempty"`        // where stores are made; empty: the machine's place for such
	N         int    `json:"n,omitempty"`          // operations, reminders or users: the workload says which
	Users     int    `json:"users,omitempty"`      // that operations are spread over
	Callers   int    `json:"callers,omitempty"`    // at a time
	Lines     int    `json:"lines,omitempty"`      // in a call of http; above 1 it is the batch endpoint
	PerSecond int    `json:"per_second,omitempty"` // of steady and pace
	Seconds   int    `json:"seconds,omitempty"`    // of steady
	Burst     int    `json:"burst,omitempty"`      // reminders of the burst that restart is killed in
	Idle      bool   `json:"idle,omitempty"`       // of burst: everybody has left memory before

	// Self is how this program is started in its role of a child (Child); what
	// is given to the child follows.
	Self []string `json:"-"`
	// Progress is told what has been done; nil: nobody asks.
	Progress func(string) `json:"-"`
}

func (o Options) progress(what string) {
	if o.Progress != nil {
		o.Progress(what)
	}
}

// or is v, or own if v is 0.
func or(v, own int) int {
	if v > 0 {
		return v
	}
	return own
}

// Workload is something that can be measured.
type Workload struct {
	Name string
	What string
	run  func(Options) (Result, error)
	// parts is for one that is made of others, each in processes of their own.
	parts func(o Options, run func(name string, o Options, runs int) (Result, error)) (Result, error)
	// single has one run unless more are asked for: it takes long, and repeats
	// inside what varies.
	single bool
}

// Workloads are all there are, in the order of the table.
var Workloads = []Workload{
	{Name: "schedule", What: "put events that become reminders, in process", run: Schedule},
	{Name: "http", What: "the same through HTTP on loopback; with lines through the batch endpoint", run: HTTP},
	{Name: "midnight", What: "day plans of users of one zone with five events each", run: Midnight, single: true},
	{Name: "burst", What: "reminders due in the same second, with a carrier that accepts at once", run: Burst},
	{Name: "http-burst", What: "the same with a carrier over HTTP in another process", run: HTTPBurst},
	{Name: "steady", What: "reminders at a fixed rate with many pending behind; snapshots and a backup in the second half", run: Steady, single: true},
	{Name: "callbacks", What: "signed status callbacks over HTTP", run: Callbacks},
	{Name: "move", What: "a tenth of the events moved, a tenth deleted", run: Move, single: true},
	{Name: "restart", What: "kill -9 of a loaded engine, and of one in the middle of a burst", run: Restart, single: true},
	{Name: "memory", What: "what users with five pending take, alive and passivated", run: Memory, single: true},
	{Name: "disk", What: "a day of users with five delivered reminders, and its log dropped", run: Disk, single: true},
	{Name: "growth", What: "schedule, burst and midnight at three sizes", parts: Growth, single: true},
	{Name: "floors", What: "what the prescribed parts need by themselves for schedule, http, burst and midnight", parts: Floors, single: true},
	{Name: "pace", What: "reminders due at once on a sender of ten a second, some with deadlines that are too near", run: Pace, single: true},
	{Name: "composer", What: "reminders by template, and with models that hang, break, lie and cost too much", run: Composer, single: true},
	{Name: "ontime", What: "one reminder after another on an idle engine", run: OnTime},
}

// Find returns a workload by its name.
func Find(name string) (Workload, bool) {
	for _, w := range Workloads {
		if w.Name == name {
			return w, true
		}
	}
	return findRung(name)
}

// tempDir makes a folder that removes goes with.
func (o Options) tempDir() (string, error) { return os.MkdirTemp(o.Dir, "carillon-bench-") }
