package actors

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"carillon/engine"
	"carillon/wal"
)

// CheckReport is what Check read, all of it sound.
type CheckReport struct{ Users, Reminders int }

// Check brings every user of a log to life and holds what must hold of each
// (engine.User.Check), and of the index: every verified number belongs to its
// user and nobody else, and every number in the index is somebody's. No node may run
// on it.
func Check(log wal.Log) (rep CheckReport, err error) {
	phones := map[string]string{}
	listed := map[string]bool{}
	err = log.IndexScan(spaceUser, nil, 0, func(key, _ []byte) error { listed[string(key)] = true; return nil })
	if err != nil {
		return rep, err
	}
	err = EachUser(log, func(u *engine.User) error {
		if listed[u.ID] != u.Exists {
			return fmt.Errorf("user %q: exists %t, in the index %t", u.ID, u.Exists, listed[u.ID])
		}
		delete(listed, u.ID)
		if !u.Exists {
			return nil
		}
		rep.Users++
		rep.Reminders += len(u.Reminders)
		if u.Verified {
			if other := phones[u.Phone]; other != "" {
				return fmt.Errorf("the number is also that of user %q", other)
			}
			phones[u.Phone] = u.ID
		}
		return u.Check()
	})
	if err != nil {
		return rep, err
	}
	for id := range listed {
		return rep, fmt.Errorf("user %q is in the index only", id)
	}
	return rep, checkPhones(log, phones)
}

func checkPhones(log wal.Log, phones map[string]string) error {
	err := log.IndexScan(spacePhone, nil, 0, func(key, value []byte) error {
		if phones[string(key)] != string(value) {
			return fmt.Errorf("a number in the index is of user %q, who has another one", value)
		}
		delete(phones, string(key))
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range phones {
		return fmt.Errorf("the number of user %q is not in the index", id)
	}
	return nil
}

// EachUser rebuilds every user of a log, in order of their ids, each as of
// its last record.
func EachUser(log wal.Log, fn func(*engine.User) error) error {
	known := map[string]struct{}{}
	err := log.SnapshotHeaders(func(s wal.Snapshot) error { known[s.Stream] = struct{}{}; return nil })
	if err != nil {
		return err
	}
	err = log.Replay(log.ReplayFrom(), func(r wal.Record) error {
		if !strings.HasPrefix(r.Stream, "!") {
			known[r.Stream] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		u, _, err := readUser(log, id)
		if err == nil {
			err = fn(u)
		}
		if err != nil {
			return fmt.Errorf("user %q: %w", id, err)
		}
	}
	return nil
}
