package bench

import (
	"errors"
	"fmt"
	"os"
	"time"

	"carillon/engine"
	"carillon/engine/codec"
)

// floor is a bare node for a run.
type floor struct {
	log    func(dir string) (bareLog, error) // nil: nothing is written
	handle func(p *barePerson, r *bareTurn)
	whole  bool // people have a state
}

func onFile(dir string) (bareLog, error) { return newFileLog(dir) }
func onBolt(dir string) (bareLog, error) { return newBoltLog(dir) }
func onWal(dir string) (bareLog, error)  { return newWalLog(dir) }

// start makes its folder and its people.
func (f floor) start(o Options, people int) (n *bare, dir string, err error) {
	if dir, err = o.tempDir(); err != nil {
		return nil, "", err
	}
	var log bareLog
	if f.log != nil {
		if log, err = f.log(dir); err != nil {
			return nil, dir, errors.Join(err, os.RemoveAll(dir))
		}
	}
	n = newBare(people, log, f.handle)
	if f.whole {
		for id, p := range n.people {
			p.st = &engine.User{ID: id, Exists: true, Zone: "Etc/UTC", Prefs: engine.DefaultPreferences()}
		}
	}
	return n, dir, nil
}

// schedule is Schedule with a bare node.
func (f floor) schedule(o Options) (Result, error) {
	n, callers, users := or(o.N, 200_000), or(o.Callers, 1024), or(o.Users, 10_000)
	node, dir, err := f.start(o, users)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	data, err := newFloorData()
	if err != nil {
		return Result{}, err
	}
	turns := make([]bareTurn, callers)
	for i := range turns {
		turns[i] = bareTurn{data: data.put, then: (*bareTurn).tell, done: make(chan struct{}, 1)}
		if f.whole {
			turns[i].data = nil // each is made
		}
	}
	before := n / warmUp
	p := newPeople(users, n+before, time.Now().Add(time.Hour))
	put := func(c, i int) {
		r := &turns[c]
		var id string
		id, r.cmd = p.put(i)
		if f.handle != nil {
			node.ask(id, r)
			<-r.done
		}
	}
	if err := Each(before, callers, func(c, i int) error { put(c, i); return nil }); err != nil {
		return Result{}, err
	}
	m := Measure()
	took, err := Timed(n, callers, func(c, i int) error { put(c, before+i); return nil })
	if err != nil {
		return Result{}, err
	}
	m.End()
	res := Result{Workload: "floor", N: n, Variant: fmt.Sprintf("schedule, %d users", users)}
	res.Finish(m, took, dir)
	return res, node.stop()
}

// bareApply keeps an event and a reminder as production does, and writes what
// production writes of them.
func bareApply(p *barePerson, r *bareTurn) {
	e, lead := r.cmd.Event, int32(15)
	due := e.Start - int64(lead)*60_000
	events := []engine.Event{
		engine.EventPut{Event: e},
		engine.ReminderPlanned{Reminder: &engine.PlannedReminder{
			ID: plannedID, EventID: e.ID, Title: e.Title, Lead: lead, Occ: e.Start, Start: e.Start, End: e.End,
			Priority: engine.PriorityNormal, Due: due, Deadline: e.Start, On: engine.Date(due / 86_400_000),
		}},
	}
	first := p.st.EventSeq + 1
	for _, e := range events {
		p.st.Apply(due-3_600_000, e)
	}
	r.data = codec.AppendRecord(r.data[:0], first, events)
	bareWrite(p, r)
}

// plannedID is as long as a reminder's.
const plannedID = "r_0123456789abcdefghijklmn"
