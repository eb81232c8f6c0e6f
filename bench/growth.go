package bench

import "fmt"

// sizes of growth, from o.N, which is the largest, down: a hundredth, a tenth
// and all of it.
func growthSizes(o Options) [3]int {
	n := or(o.N, 1_000_000)
	return [3]int{max(n/100, 10), max(n/10, 10), n}
}

// Growth runs schedule, burst and midnight with so many users, and compares
// what a reminder costs in time and in processor time. run gives a result of a
// workload; it may have it already.
func Growth(o Options, run func(name string, o Options, runs int) (Result, error)) (Result, error) {
	sizes := growthSizes(o)
	res := Result{Workload: "growth", N: sizes[2]}
	for _, name := range []string{"schedule", "burst", "midnight"} {
		var first Result
		for i, users := range sizes {
			sub := Options{Dir: o.Dir, Self: o.Self, Progress: o.Progress, N: users}
			if name == "schedule" {
				sub.N, sub.Users, sub.Callers = 2*users, users, 1024 // as many events for everybody
			}
			r, err := run(name, sub, [3]int{3, 3, 1}[i])
			if err != nil {
				return res, err
			}
			o.progress(fmt.Sprintf("%s with %d users: %.0f/s", name, users, r.OpsPerS))
			if i == 0 {
				first = r
			}
			cost := func(r Result) float64 { return 1e6 / r.OpsPerS }
			res.Detail(fmt.Sprintf("%s_%s_us", name, short(users)), cost(r))
			res.Detail(fmt.Sprintf("%s_%s_cpu_us", name, short(users)), 1e6*r.CPU/float64(r.N))
			if i > 0 {
				res.Detail(fmt.Sprintf("%s_%s_ratio", name, short(users)), cost(r)/cost(first))
			}
			res.OpsPerS, res.RSS, res.Disk = r.OpsPerS, max(res.RSS, r.RSS), max(res.Disk, r.Disk)
			res.Seconds, res.CPU, res.Noise = res.Seconds+r.Seconds, res.CPU+r.CPU, max(res.Noise, r.Noise)
			res.P50, res.P99, res.Max = r.P50, r.P99, r.Max
		}
	}
	res.stamp()
	return res, nil
}

// short writes a number of users as people say it.
func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
