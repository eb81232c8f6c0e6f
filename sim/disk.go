package sim

import (
	"fmt"

	"carillon/wal"
)

// disk is the journal as the engine sees it: the log of the run's store, with
// crash points behind and before every write.
type disk struct {
	wal.Log
	w     *world
	store store
}

// store is where the log is kept. crash returns the log as the next process
// finds it; backup how to make another one of what there is now, once.
type store interface {
	open() (wal.Log, error)
	crash(wal.Log) (wal.Log, error)
	backup(wal.Log) (restore, error)
	close() error
}

// restore makes a log from a backup.
type restore func() (wal.Log, error)

func newDisk(w *world, s store) (*disk, error) {
	log, err := s.open()
	return &disk{Log: log, w: w, store: s}, err
}

// reopen is what a process finds that starts behind a crash.
func (d *disk) reopen() {
	log, err := d.store.crash(d.Log)
	if err != nil {
		d.w.audit.fail("store", nil, "the store does not open behind a crash: %v", err)
		d.w.over = true
		return
	}
	d.Log = log
}

// Append implements wal.Log: the process may die before or behind the flush.
func (d *disk) Append(batch []wal.Entry) (uint64, error) {
	w := d.w
	w.tick++
	if w.faults.hit(AppendLost, w.pace.crashes*0.001_2) {
		return 0, d.dies("in the flush")
	}
	first, err := d.Log.Append(batch)
	if err != nil {
		w.audit.fail("journal", nil, "an append was refused: %v", err)
		return first, err
	}
	if w.faults.hit(AppendKept, w.pace.crashes*0.001_2) {
		return 0, d.dies("behind the flush")
	}
	w.audit.flushed()
	return first, nil
}

// dies has the process end with this step. What the step still does reaches
// nobody.
func (d *disk) dies(where string) error {
	d.w.dying = where
	return fmt.Errorf("%w: the process dies %s", wal.ErrUnknownOutcome, where)
}

// PutSnapshots implements wal.Log: a crash within leaves a part of them.
func (d *disk) PutSnapshots(batch []wal.Snapshot) error {
	d.w.audit.snapshots(batch)
	if len(batch) > 0 && d.w.faults.hit(CrashSnapshot, 0.01) {
		if err := d.Log.PutSnapshots(batch[:d.w.d.intn(len(batch))]); err != nil {
			return err
		}
		return d.dies("within a round of snapshots")
	}
	return d.Log.PutSnapshots(batch)
}

// SetReplayFrom implements wal.Log.
func (d *disk) SetReplayFrom(seq uint64) error {
	if d.w.faults.hit(CrashSnapshot, 0.01) {
		return d.dies("at the end of a round of snapshots")
	}
	return d.Log.SetReplayFrom(seq)
}

// Redact implements wal.Log.
func (d *disk) Redact(stream string, last uint64) (int, error) {
	if d.w.faults.hit(CrashSnapshot, 0.1) {
		return 0, d.dies("before an erasure")
	}
	n, err := d.Log.Redact(stream, last)
	if err == nil && d.w.faults.hit(CrashSnapshot, 0.1) {
		return 0, d.dies("within an erasure")
	}
	return n, err
}

// AckRestored implements wal.Log.
func (d *disk) AckRestored() error {
	if d.w.faults.hit(CrashSnapshot, 0.1) {
		return d.dies("before a restore is accounted for")
	}
	return d.Log.AckRestored()
}

// Stats implements wal.Log. Ids of webhooks, and how long a declined one waits, are
// drawn from the store's, which is another one whenever files are made.
func (d *disk) Stats() wal.Stats {
	s := d.Log.Stats()
	s.StoreID = "mem"
	return s
}

// backup is a copy of the store, and what clients had been told by then.
type backup struct {
	restore restore
	model   *model
}

func (d *disk) backup() *backup {
	r, err := d.store.backup(d.Log)
	if err != nil {
		d.w.audit.fail("backup", nil, "no backup: %v", err)
		return nil
	}
	return &backup{restore: r, model: d.w.remember()}
}
