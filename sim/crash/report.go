package crash

// StatesReport is what was made of traces.
type StatesReport struct {
	Kinds map[string]int `json:"kinds"` // states judged by our reader
	// Points of traces at which states were made, of so many traces.
	Points int `json:"points"`
	Traces int `json:"traces"`
	// Reopened states were opened by wal.Open and verified; WentOn of them were
	// also appended to, closed and opened again.
	Reopened int     `json:"reopened"`
	WentOn   int     `json:"went_on"`
	Acked    uint64  `json:"records_acknowledged"`
	Seconds  float64 `json:"seconds"`
	Wrong    string  `json:"wrong,omitempty"`
}

// Total is the number of states.
func (r *StatesReport) Total() int { return sum(r.Kinds) }

func (r *StatesReport) add(c *stateCount) {
	for kind, n := range c.kinds {
		r.Kinds[kind] += n
	}
	r.Points += c.points
	r.Reopened += c.reopened
	r.WentOn += c.wentOn
	r.Acked = max(r.Acked, c.acked)
}

// CallsReport is what became of the real binary when system calls failed.
type CallsReport struct {
	Runs     int            `json:"runs"`
	Injected map[string]int `json:"injected"` // by call and what it answered
	Told     map[string]int `json:"told"`     // what callers heard that was no 2xx
	Acked    int            `json:"writes_acknowledged"`
	tried    map[string]int
	Seconds  float64 `json:"seconds"`
	Wrong    string  `json:"wrong,omitempty"`
}

// Missing are the faults that never came.
func (r *CallsReport) Missing() (names []string) {
	for i := range callFaults {
		if r.Injected[callFaults[i].name()] == 0 {
			names = append(names, callFaults[i].name())
		}
	}
	return names
}

// DamageReport is what became of stores that were damaged: refused with an
// address, or opened with the contents that they had before.
type DamageReport struct {
	Refused  map[string]int `json:"refused"` // by kind of damage
	Harmless map[string]int `json:"harmless"`
	// Checked stores were those of the real binary, damaged and given to `carillon check`.
	Checked        int     `json:"checked_by_binary"`
	CheckedRefused int     `json:"refused_by_binary"`
	Seconds        float64 `json:"seconds"`
	Wrong          string  `json:"wrong,omitempty"`
}

// Total is the number of damaged stores.
func (r *DamageReport) Total() int { return sum(r.Refused) + sum(r.Harmless) }

func sum(m map[string]int) (n int) {
	for _, k := range m {
		n += k
	}
	return n
}

// SpaceReport is what the real binary did on a disk that filled up.
type SpaceReport struct {
	Refused      int     `json:"refused_507"`
	Texts        int     `json:"texts"`
	SentWhileLow int     `json:"sent_while_low"`
	Resumed      int     `json:"resumed"`
	FailStops    int     `json:"fail_stops"` // nothing at all was left
	Acked        int     `json:"writes_acknowledged"`
	Seconds      float64 `json:"seconds"`
	Wrong        string  `json:"wrong,omitempty"`
}
