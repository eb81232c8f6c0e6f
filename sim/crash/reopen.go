package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"carillon/wal"
)

// reopener writes a state to a folder and lets the production log open it.
type reopener struct {
	dir  string
	kept string // where a state that is wrong is left to be looked at
}

// open returns where the log ends and where replay begins.
func (o *reopener) open(files map[string]*inode, goOn bool) (last, replay uint64, err error) {
	if err := o.write(o.dir, files); err != nil {
		return 0, 0, err
	}
	log, err := openFree(o.dir, workOptions())
	if err != nil {
		return 0, 0, fmt.Errorf("wal.Open: %w", err)
	}
	last, replay = log.NextSeq()-1, log.ReplayFrom()
	if _, err = log.Verify(nil); err != nil {
		return 0, 0, errors.Join(fmt.Errorf("verify: %w", err), log.Close())
	}
	if goOn {
		err = o.goOn(log)
	}
	if err := errors.Join(err, log.Close()); err != nil {
		return 0, 0, err
	}
	if goOn {
		err = o.again(last)
	}
	return last, replay, err
}

// openFree opens a store whose lock a process that is being started beside us may
// hold for a moment: it has our descriptors until it is another program.
func openFree(dir string, opts wal.Options) (log *wal.DB, err error) {
	for range 100 {
		if log, err = wal.Open(dir, opts); !errors.Is(err, wal.ErrLocked) {
			break
		}
		if pause(context.Background(), 2*time.Millisecond) != nil {
			break
		}
	}
	return log, err
}

// goOn changes every tree: a page that two trees use shows now.
func (o *reopener) goOn(log *wal.DB) error {
	e := wal.Entry{Stream: "on", Prev: log.Head("on"), Data: make([]byte, 3000), Index: []wal.IndexOp{{Space: "p", Key: []byte("on"), Value: []byte("on")}}}
	seq, err := log.Append([]wal.Entry{e})
	if err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	return log.PutSnapshots([]wal.Snapshot{{Stream: "on", Seq: seq, Data: make([]byte, 5000)}})
}

func (o *reopener) again(last uint64) error {
	log, err := openFree(o.dir, workOptions())
	if err != nil {
		return fmt.Errorf("after going on: %w", err)
	}
	_, err = log.Verify(nil)
	if err == nil && log.NextSeq() != last+2 {
		err = fmt.Errorf("after going on: the next record is %d, not %d", log.NextSeq(), last+2)
	}
	return errors.Join(err, log.Close())
}

func (o *reopener) write(dir string, files map[string]*inode) error {
	there, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range there {
		if files[e.Name()] == nil {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for name, f := range files {
		if err := os.WriteFile(filepath.Join(dir, name), f.scratch, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// keep leaves the files of a state.
func (o *reopener) keep(files map[string]*inode) {
	if o.kept == "" || os.MkdirAll(o.kept, 0o700) != nil {
		return
	}
	_ = o.write(o.kept, files)
}
