package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"carillon/bench"
)

// job is one reminder as a peer is given it.
type job struct {
	id      int
	payload []byte
	due     time.Time
}

func newJob(id int, due time.Time) job {
	return job{id, bench.Payload(fmt.Sprintf("user-%07d", id), "e"+strconv.Itoa(id), due), due}
}

var idMark = []byte(`"event_id":"e`)

// idOf reads a job's number from its payload.
func idOf(payload []byte) (int, error) {
	i := bytes.Index(payload, idMark)
	if i < 0 {
		return 0, fmt.Errorf("a payload without an id: %.80s", payload)
	}
	rest := payload[i+len(idMark):]
	n, err := strconv.Atoi(string(rest[:max(bytes.IndexByte(rest, '"'), 0)]))
	return n, err
}

// peer is a system on a server of its own. What is said to be done is as
// durable as the system makes it.
type peer interface {
	// start brings the server up in a folder. callers is how many will call at a
	// time.
	start(dir string, callers int) error
	// address is what attach takes.
	address() string
	// attach connects to a server that another process has started.
	attach(address string, callers int) error
	// schedule puts one job in, and returns when it is acknowledged.
	schedule(j job) error
	// load puts jobs in by the quickest way there is.
	load(jobs []job) error
	// settle lets the server do what it should do between a load and its use.
	settle() error
	move(id int, due time.Time) error
	cancel(id int) error
	// work has jobs done as they come due, until the process ends.
	work(handle func(id int) error) error
	// done counts the jobs whose completion is recorded.
	done() (int, error)
	// servers are the server's processes, empty if there is none.
	servers() []int
	stop()
}

// system is a peer with its settings.
type system struct {
	name     string
	settings string
	make     func() peer
	// share is the part of a workload's jobs that it gets: some are so slow that
	// all would take minutes.
	share func(workload string) float64
	lacks []string // workloads that it can't do, or that another row stands for
	lossy bool     // it answers before it has flushed
}

func all(string) float64 { return 1 }

// systems are those that are measured beside carillon, in this order.
var systems = []system{
	{
		name: "asynq, fsync always", settings: "redis appendonly, appendfsync always, save off. " + asynqTuned,
		make: func() peer { return &asynqPeer{fsync: "always", tuned: true} }, share: all,
	},
	{
		name: "asynq, fsync everysec", settings: "redis appendonly, appendfsync everysec (up to a second is lost), save off. " + asynqTuned,
		make: func() peer { return &asynqPeer{fsync: "everysec", tuned: true} }, share: all, lacks: []string{"restart"}, lossy: true,
	},
	{
		name: "River", settings: riverTuned, make: func() peer { return &riverPeer{tuned: true} },
		share: func(w string) float64 {
			if w == "schedule" || w == "move" {
				return 0.25
			}
			return 1
		},
	},
	{
		name: "NATS, sync interval", settings: "JetStream file store, sync_interval at its default of 2 minutes: nothing is flushed before the answer. " + natsTuned,
		make: func() peer { return &natsPeer{} }, share: all, lossy: true,
	},
	{
		name: "NATS, sync always", settings: "JetStream file store, sync_interval always. " + natsTuned,
		make: func() peer { return &natsPeer{sync: true} }, share: func(string) float64 { return 0.05 }, lacks: []string{"steady", "restart"},
	},
	{
		name: "append + fdatasync", settings: "records of 300 bytes appended to one file, everything that waits in one write and fdatasync; two records for a hand-over, one after the other. No queue at all: what the disk allows.",
		make: func() peer { return &plainPeer{} }, share: all, lacks: []string{"http-burst", "steady", "restart"},
	},
	{
		name: "asynq, defaults", settings: "redis as above with appendfsync everysec; asynq's own: handlers = processors, forwards every 5 s, polls every 1 s.",
		make: func() peer { return &asynqPeer{fsync: "everysec"} }, share: defaultsShare, lacks: []string{"http-burst", "move", "restart"}, lossy: true,
	},
	{
		name: "River, defaults", settings: "PostgreSQL as Debian has it (shared_buffers 128 MB, synchronous_commit on); MaxWorkers 100 as in River's documentation, the rest its own (fetch cooldown 100 ms, poll 1 s), pgx's pool of 4.",
		make: func() peer { return &riverPeer{} }, share: func(w string) float64 { return min(0.1, defaultsShare(w)) }, lacks: []string{"http-burst", "move", "restart"},
	},
}

func defaultsShare(workload string) float64 {
	if workload == "burst" {
		return 0.2
	}
	return 1
}

const (
	asynqTuned = "asynq: 40 servers in the process with 16 handlers each, forward every 100 ms, poll every 20 ms, pool of 256 connections."
	riverTuned = "PostgreSQL with fsync and synchronous_commit on, shared_buffers 4 GB (a quarter of the memory at most), max_wal_size 16 GB; River: MaxWorkers 500, fetch cooldown 1 ms, poll 5 ms, rescue after 20 s, pool of 64 connections (32 for schedule, 8 for move); jobs inserted 1,000 at a time where that is not what is measured; moves and cancels as UPDATEs by primary key, which River's API does not have; VACUUM ANALYZE after a load."
	natsTuned  = "Its server from its own module, in a process of its own; 256 handlers, pulls of 1,000; a move publishes the schedule's subject again, a cancel purges it."
)

func find(name string) (system, bool) {
	for _, s := range systems {
		if s.name == name {
			return s, true
		}
	}
	return system{}, false
}
