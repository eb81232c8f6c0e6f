package bench

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"carillon/actors"
	"carillon/engine"
)

// Restart gives users five future reminders each, with a round of snapshots
// before the last of the five, copies the store's files while the engine runs,
// as a kill leaves them, and measures a start on the copy until requests are
// taken. A fifth of the records has to be replayed.
func Restart(parent string, users int) (Result, error) {
	const perUser = 5
	r, err := newRig(parent, func(c *actors.Config) { c.SnapshotEvery, c.SnapshotRecords = 1000*time.Hour, math.MaxUint64 })
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(users, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	at := time.Now().Add(24 * time.Hour)
	for k := range perUser {
		if k == perUser-1 {
			r.node.SnapshotNow()
			if err := r.awaitRound(); err != nil {
				return Result{}, err
			}
		}
		c := engine.CreateReminder{Text: fmt.Sprintf("Reminder %d", k), SendAt: at.Add(time.Duration(k) * time.Hour).UnixMilli(), Priority: engine.PriorityNormal}
		if err := each(users, 1024, func(i int) error { return r.do(userID(i), c) }); err != nil {
			return Result{}, err
		}
	}
	copied, err := os.MkdirTemp(parent, "carillon-bench-")
	if err != nil {
		return Result{}, err
	}
	if err := copyStore(r.dir, copied); err != nil {
		return Result{}, err
	}
	if err := r.stop(); err != nil {
		return Result{}, err
	}
	again := &rig{dir: copied}
	defer again.remove()
	began := time.Now()
	if err := again.start(nil); err != nil {
		return Result{}, err
	}
	took := time.Since(began)
	s := again.node.Stats()
	res := Result{Workload: "restart", N: users * perUser, Details: map[string]float64{
		"users": float64(s.Users), "timers": float64(s.Timers), "replayed_records": float64(s.Journal.LastSeq + 1 - s.Journal.ReplayFrom),
	}}
	res.finish(took, copied)
	return res, again.stop()
}

// copyStore copies the files in the order in which they rest on each other:
// what the side file knows must be in the journal's copy.
func copyStore(from, to string) error {
	for _, name := range []string{"STORE", "snapshots.db", "journal.db"} {
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
