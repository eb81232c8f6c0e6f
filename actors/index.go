package actors

import (
	"carillon/engine"
	"carillon/wal"
)

// Key spaces of the log's index. Each key changes in the transaction of the
// record that changes it.
const (
	spaceUser   = "user"   // user id → 1
	spacePhone  = "phone"  // E.164 → the user whose verified number it is
	spaceKey    = "key"    // SHA-256 of an API key → what it may do, JSON
	spaceSystem = "system" // settings that outlive the process
)

var present = []byte{1}

// indexOps lists the index changes that events bring.
func indexOps(userID string, events []engine.Event) []wal.IndexOp {
	var ops []wal.IndexOp
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // the others change no index
		case engine.ProfileSet:
			if e.Created {
				ops = append(ops, wal.IndexOp{Space: spaceUser, Key: []byte(userID), Value: present})
			}
		case engine.UserErased:
			ops = append(ops, wal.IndexOp{Space: spaceUser, Key: []byte(userID)})
		case engine.PhoneSet:
			if e.Had != "" && (e.Had != e.Phone || !e.Verified) {
				ops = append(ops, wal.IndexOp{Space: spacePhone, Key: []byte(e.Had)})
			}
			if e.Verified {
				ops = append(ops, wal.IndexOp{Space: spacePhone, Key: []byte(e.Phone), Value: []byte(userID)})
			}
		}
	}
	return ops
}
