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
func (r *StatesReport) Total() (n int) {
	for _, k := range r.Kinds {
		n += k
	}
	return n
}

func (r *StatesReport) add(c *stateCount) {
	for kind, n := range c.kinds {
		r.Kinds[kind] += n
	}
	r.Points += c.points
	r.Reopened += c.reopened
	r.WentOn += c.wentOn
	r.Acked = max(r.Acked, c.acked)
}
