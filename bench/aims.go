package bench

import "strings"

// aim is what a workload is to reach on two cores. At is the least of value,
// or the most where less is better.
type aim struct {
	workload, variant string // variant: how it begins; empty for any
	what              string
	value             func(Result) float64
	at                float64
	less              bool
}

func perSecond(r Result) float64 { return r.OpsPerS }

func ofDetail(name string) func(Result) float64 {
	return func(r Result) float64 { return r.Details[name] }
}

// inMemory leaves out the burst of whom everybody has to be read first, for which
// there is no aim.
func inMemory(r Result) float64 {
	if strings.HasPrefix(r.Variant, nobodyInMemory) {
		return 0
	}
	return r.OpsPerS
}

func p99(r Result) float64     { return r.P99 }
func seconds(r Result) float64 { return r.Seconds }

// aims are the floors that the project has set itself.
var aims = []aim{
	{workload: "schedule", variant: "1024 callers", what: "300,000 per second", value: perSecond, at: 300_000},
	{workload: "http", variant: "400 connections", what: "60,000 per second", value: perSecond, at: 60_000},
	{workload: "http", variant: "400 connections", what: "p99 under 20 ms", value: p99, at: 20, less: true},
	{workload: "http", variant: "64 connections, batches", what: "200,000 per second", value: perSecond, at: 200_000},
	{workload: "midnight", what: "5,000,000 in 8 s", value: perSecond, at: 625_000},
	{workload: "midnight", what: "new users in 100 ms (p99)", value: p99, at: 100, less: true},
	{workload: "midnight", what: "under 6 GiB", value: func(r Result) float64 { return r.RSS }, at: 6144, less: true},
	{workload: "burst", what: "120,000 per second", value: inMemory, at: 120_000},
	{workload: "http-burst", what: "20,000 per second", value: perSecond, at: 20_000},
	{workload: "steady", what: "late p50 under 1 ms", value: func(r Result) float64 { return r.P50 }, at: 1, less: true},
	{workload: "steady", what: "late p99 under 10 ms", value: p99, at: 10, less: true},
	{workload: "steady", what: "late max under 100 ms", value: func(r Result) float64 { return r.Max }, at: 100, less: true},
	{workload: "callbacks", what: "15,000 per second", value: perSecond, at: 15_000},
	{workload: "move", what: "100,000 per second", value: perSecond, at: 100_000},
	{workload: "restart", what: "ready in 5 s, cold", value: seconds, at: 5, less: true},
	{workload: "restart", what: "burst done 5 s after ready", value: ofDetail("burst_done_after_ready_s"), at: 5, less: true},
	{workload: "memory", what: "2 KiB per user alive", value: ofDetail("alive_bytes_per_user"), at: 2048, less: true},
	{workload: "memory", what: "250 B passivated", value: ofDetail("passivated_bytes_per_user"), at: 250, less: true},
	{workload: "memory", what: "empty under 40 MB", value: ofDetail("empty_process_mb"), at: 40, less: true},
	{workload: "disk", what: "1 KiB of log per reminder", value: ofDetail("log_bytes_per_reminder"), at: 1024, less: true},
	{workload: "disk", what: "stalls under 50 ms", value: func(r Result) float64 { return r.Max }, at: 50, less: true},
	{workload: "growth", what: "schedule under 1.5 ×", value: ofDetail("schedule_1M_ratio"), at: 1.5, less: true},
	{workload: "growth", what: "burst under 1.5 ×", value: ofDetail("burst_1M_ratio"), at: 1.5, less: true},
	{workload: "growth", what: "midnight under 1.5 ×", value: ofDetail("midnight_1M_ratio"), at: 1.5, less: true},
}

// verdict is a result against an aim. Reach above 1 is better than the aim.
type verdict struct {
	aim
	got, reach float64
}

// judge puts the results beside the aims that are for them. An aim whose value
// the run did not measure is left out.
func judge(all []Result) (out []verdict) {
	for _, a := range aims {
		for _, r := range all {
			v := a.value(r)
			if r.Workload != a.workload || !strings.HasPrefix(r.Variant, a.variant) || v <= 0 {
				continue
			}
			reach := v / a.at
			if a.less {
				reach = a.at / v
			}
			out = append(out, verdict{a, v, reach})
		}
	}
	return out
}
