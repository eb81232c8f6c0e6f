package bench

import "fmt"

// rung is a row of the floors: a workload with something of ours taken away, or
// ours as it is.
type rung struct {
	name string
	run  func(Options) (Result, error) // nil: the workload of ours
	ours string
	o    Options

	latency bool // its p99 counts as well
}

// rungs are the ladders, from what nothing of ours is in to what we are.
var rungs = []rung{
	{name: "schedule_0_caller", run: floor{}.schedule},
	{name: "schedule_1_actor", run: floor{handle: bareAnswer}.schedule},
	{name: "schedule_2_bbolt", run: floor{log: onBolt, handle: bareWrite}.schedule},
	{name: "schedule_3_wal", run: floor{log: onWal, handle: bareWrite}.schedule},
	{name: "schedule_4_apply", run: floor{log: onWal, handle: bareApply, whole: true}.schedule},
	{name: "schedule_5_ours", ours: "schedule"},
	{name: "schedule_64_1_append", run: floor{log: onFile, handle: bareWrite}.schedule, o: few},
	{name: "schedule_64_2_bbolt", run: floor{log: onBolt, handle: bareWrite}.schedule, o: few},
	{name: "schedule_64_5_ours", ours: "schedule", o: few},
	{name: "schedule_1M_1_actor", run: floor{handle: bareAnswer}.schedule, o: Options{N: 1_000_000, Users: 1_000_000}},
	{name: "schedule_1M_2_bbolt", run: floor{log: onBolt, handle: bareWrite}.schedule, o: Options{N: 1_000_000, Users: 1_000_000}},
	{name: "http_0_fasthttp", run: floorHTTP(nil, fixedAlone), o: oneByOne, latency: true},
	{name: "http_1_as_set", run: floorHTTP(nil, fixedServed), o: oneByOne, latency: true},
	{name: "http_2_bbolt", run: floorHTTP(&floor{log: onBolt, handle: bareWrite}, fixedDurable), o: oneByOne, latency: true},
	{name: "http_3_httpapi", run: floorHTTP(nil, parsed), o: oneByOne, latency: true},
	{name: "http_4_both", run: floorHTTP(&floor{log: onBolt, handle: bareWrite}, parsedDurable), o: oneByOne, latency: true},
	{name: "http_5_ours", ours: "http", o: oneByOne, latency: true},
	{name: "batch_1_as_set", run: floorHTTP(nil, fixedServed), o: inBatches},
	{name: "batch_2_bbolt", run: floorHTTP(&floor{log: onBolt, handle: bareWrite}, fixedDurable), o: inBatches},
	{name: "batch_3_httpapi", run: floorHTTP(nil, parsed), o: inBatches},
	{name: "batch_4_both", run: floorHTTP(&floor{log: onBolt, handle: bareWrite}, parsedDurable), o: inBatches},
	{name: "batch_5_ours", ours: "http", o: inBatches},
	{name: "burst_2_bbolt", run: floorBurst, o: Options{N: 100_000}},
	{name: "burst_5_ours", ours: "burst", o: Options{N: 100_000}},
	{name: "midnight_1_read", run: floorMidnight(toRead), o: Options{N: midnightPeople}},
	{name: "midnight_2_decode", run: floorMidnight(toDecode), o: Options{N: midnightPeople}},
	{name: "midnight_3_journal", run: floorMidnight(toJournal), o: Options{N: midnightPeople}},
	{name: "midnight_5_ours", ours: "midnight", o: Options{N: midnightPeople}},
}

var (
	few       = Options{N: 100_000, Callers: 64}
	oneByOne  = Options{N: 100_000}
	inBatches = Options{Callers: 64, Lines: 100}
)

// midnightPeople are few enough that a run of all floors ends within two minutes.
const midnightPeople = 100_000

// floorPrefix is before the name of a rung where workloads are named.
const floorPrefix = "floor "

// Floors measures what the prescribed parts need for the workloads whose aims are
// not met, one rung after the other in one sitting, and ours beside them: for each
// the processor time and the time of one operation, a line of a batch, or a
// reminder. o.N bounds the operations or people of each, o.Users has that many at
// midnight.
func Floors(o Options, run func(name string, o Options, runs int) (Result, error)) (Result, error) {
	res := Result{Workload: "floors", N: or(o.N, 200_000)}
	for _, r := range rungs {
		name, sub := r.ours, r.o
		if r.run != nil {
			name = floorPrefix + r.name
		}
		if o.Users > 0 && sub.N == midnightPeople {
			sub.N = o.Users
		}
		if o.N > 0 {
			sub.N = min(or(sub.N, o.N), o.N)
			sub.Users = min(or(sub.Users, 10_000), o.N)
		}
		sub.Dir, sub.Self, sub.Progress = o.Dir, o.Self, o.Progress
		one, err := run(name, sub, 1)
		if err != nil {
			return res, err
		}
		res.Detail(r.name+"_cpu_us", one.Details["cpu_us_per_op"])
		res.Detail(r.name+"_us", 1e6/one.OpsPerS)
		if r.latency {
			res.Detail(r.name+"_p99_ms", one.P99)
		}
		o.progress(fmt.Sprintf("%s: %.2f µs of processor time, %.0f/s, p99 %.1f ms", r.name, one.Details["cpu_us_per_op"], one.OpsPerS, one.P99))
		res.OpsPerS, res.RSS, res.Disk = one.OpsPerS, max(res.RSS, one.RSS), max(res.Disk, one.Disk)
		res.Seconds, res.CPU, res.Noise = res.Seconds+one.Seconds, res.CPU+one.CPU, max(res.Noise, one.Noise)
		res.P50, res.P99, res.Max = one.P50, one.P99, one.Max
	}
	res.stamp()
	return res, nil
}

// findRung returns a rung as a workload.
func findRung(name string) (Workload, bool) {
	for _, r := range rungs {
		if r.run != nil && floorPrefix+r.name == name {
			return Workload{Name: name, run: r.run}, true
		}
	}
	return Workload{}, false
}
