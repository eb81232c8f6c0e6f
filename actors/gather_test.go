package actors

import "testing"

// A flush waits once for those who are about to decide, if they are a crowd and
// others run at all meanwhile.
func TestACrowdIsLetDecideFirst(t *testing.T) {
	for _, c := range []struct {
		name             string
		records, callers int
		shared, want     bool
	}{
		{name: "few", records: crowd, callers: crowd, shared: true},
		{name: "many records", records: crowd + 1, shared: true, want: true},
		{name: "many callers", records: 1, callers: crowd + 1, shared: true, want: true},
		{name: "another's dispatcher", records: crowd + 1, callers: crowd + 1},
	} {
		j := &journal{node: &Node{}, batch: make([]*release, c.records), shared: c.shared}
		j.node.inFlight.Store(int64(c.callers))
		for flush := range 2 {
			if got := j.gather(); got != c.want {
				t.Errorf("%s, flush %d: gathers %v, want %v", c.name, flush, got, c.want)
			}
			if j.gather() && c.want {
				t.Errorf("%s, flush %d: waits twice", c.name, flush)
			}
		}
	}
}
