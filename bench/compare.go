package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// Load reads the results in a file: objects one after the other, or a list.
func Load(path string) ([]Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var all []Result
	for dec := json.NewDecoder(f); ; {
		var raw json.RawMessage
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var many []Result
		if raw[0] != '[' {
			many = make([]Result, 1)
			err = json.Unmarshal(raw, &many[0])
		} else {
			err = json.Unmarshal(raw, &many)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, many...)
	}
}

// Difference is a workload in two results.
type Difference struct {
	Title    string  `json:"title"`
	Old      float64 `json:"old_ops_per_s"`
	New      float64 `json:"new_ops_per_s"`
	Ratio    float64 `json:"ratio"`
	P99Ratio float64 `json:"p99_ratio"`
	Spread   float64 `json:"spread"` // the greater of the two
	Clear    bool    `json:"clear"`  // more than the spread, and known to be
}

// Compare puts results of the same workload, variant and size beside each
// other. A difference is clear if the ratio leaves the spread of the runs; two
// single runs have none, and nothing is clear.
func Compare(before, after []Result) []Difference {
	var out []Difference
	for _, b := range after {
		for _, a := range before {
			if a.Workload != b.Workload || a.Variant != b.Variant || a.N != b.N || a.OpsPerS == 0 {
				continue
			}
			d := Difference{Title: b.Title(), Old: a.OpsPerS, New: b.OpsPerS, Ratio: b.OpsPerS / a.OpsPerS, Spread: max(a.Spread, b.Spread)}
			if a.P99 > 0 {
				d.P99Ratio = b.P99 / a.P99
			}
			d.Clear = a.Runs > 1 && b.Runs > 1 && (d.Ratio > 1+d.Spread || d.Ratio < 1-d.Spread)
			out = append(out, d)
			break
		}
	}
	return out
}

// PrintDifferences writes them as a table.
func PrintDifferences(w io.Writer, all []Difference) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "workload\told/s\tnew/s\tratio\tp99 ratio\tspread\tbeyond it\t")
	for _, d := range all {
		beyond := "no"
		if d.Clear {
			beyond = "yes"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%.2f\t%.2f\t%.0f %%\t%s\t\n", d.Title, number(d.Old), number(d.New), d.Ratio, d.P99Ratio, 100*d.Spread, beyond)
	}
	return t.Flush()
}
