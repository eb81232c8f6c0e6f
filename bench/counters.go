package bench

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// counters keeps a node's collectors at hand, so that one of them can be read
// often: gathering all of them would count the users each time.
type counters struct {
	mu  sync.Mutex
	all []prometheus.Collector
}

var _ prometheus.Registerer = (*counters)(nil)

// Register implements prometheus.Registerer.
func (c *counters) Register(col prometheus.Collector) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, col)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (c *counters) MustRegister(cols ...prometheus.Collector) {
	for _, col := range cols {
		_ = c.Register(col)
	}
}

// Unregister implements prometheus.Registerer.
func (c *counters) Unregister(prometheus.Collector) bool { return false }

// find returns the collector of a name.
func (c *counters) find(name string) prometheus.Collector {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, col := range c.all {
		descs := make(chan *prometheus.Desc, 8)
		col.Describe(descs)
		close(descs)
		for d := range descs {
			if described(d, name) {
				return col
			}
		}
	}
	return nil
}

// children reads what a collector shows now.
func children(col prometheus.Collector) (out []*dto.Metric) {
	if col == nil {
		return nil
	}
	shown := make(chan prometheus.Metric, 32)
	go func() { col.Collect(shown); close(shown) }()
	for m := range shown {
		var d dto.Metric
		if m.Write(&d) == nil {
			out = append(out, &d)
		}
	}
	return out
}

// sum adds up a counter's children that have the label.
func sum(col prometheus.Collector, label, value string) (total float64) {
	for _, m := range children(col) {
		for _, l := range m.GetLabel() {
			if l.GetName() == label && l.GetValue() == value {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total
}

// commits returns how many batches the journal has flushed, and how long that
// took in all.
func (c *counters) commits() (n, seconds float64) {
	for _, m := range children(c.find("carillon_journal_commit_duration_seconds")) {
		h := m.GetHistogram()
		return float64(h.GetSampleCount()), h.GetSampleSum()
	}
	return 0, 0
}

// described reports whether a description is that of a name. The library
// shows it in no other way.
func described(d *prometheus.Desc, name string) bool {
	return strings.Contains(d.String(), `fqName: "`+name+`"`)
}
