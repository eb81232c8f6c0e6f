package sim

import "testing"

// BenchmarkSeeds plays everyday worlds with all faults on, and says how many
// user-years that is in a minute of one core.
func BenchmarkSeeds(b *testing.B) {
	years, seconds := 0.0, 0.0
	for i := range b.N {
		r, err := Run(Options{Seed: uint64(i), Faults: FaultsAll, Pace: PaceEveryday})
		if err != nil {
			b.Fatal(err)
		}
		years, seconds = years+r.UserYears, seconds+r.CPUSeconds
	}
	b.ReportMetric(years/seconds*60, "user-years/core-minute")
}
