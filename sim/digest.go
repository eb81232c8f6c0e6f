package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"time"

	"carillon/engine"
)

// digest sums up everything that left the engine: calls to the carrier,
// replies, and every byte of the journal. Two runs that agree on it did the
// same.
type digest struct {
	h   hash.Hash
	buf []byte
}

func newDigest() *digest { return &digest{h: sha256.New()} }

func (d *digest) add(parts ...string) {
	for _, p := range parts {
		d.buf = binary.AppendUvarint(d.buf, uint64(len(p)))
		d.buf = append(d.buf, p...)
	}
	d.spill()
}

func (d *digest) number(kind string, n ...int64) {
	d.buf = append(d.buf, kind...)
	for _, v := range n {
		d.buf = binary.AppendVarint(d.buf, v)
	}
	d.spill()
}

func (d *digest) bytes(b []byte) {
	d.buf = append(d.buf, b...)
	d.spill()
}

// spill hashes what has come together, much at a time.
func (d *digest) spill() {
	if len(d.buf) > 8<<10 {
		d.flush()
	}
}

func (d *digest) flush() {
	_, _ = d.h.Write(d.buf)
	d.buf = d.buf[:0]
}

// reply adds what a client was told.
func (d *digest) reply(user string, reply engine.Reply, err error) {
	switch r := reply.(type) { //nolint:gochecksumtype // of the others the kind is enough
	case nil:
		if err != nil {
			d.add("error", user, err.Error())
		}
	case engine.Refusal:
		d.add("refusal", user, r.Code, r.Field)
	case engine.UserReply:
		d.number("user", int64(r.User.Count), int64(r.User.Reserved), r.User.UpdatedAt)
	case engine.EventReply:
		d.number("event", r.Event.Version, r.UpdatedAt)
	case engine.ReminderReply:
		d.add("reminder", user, r.Reminder.ID, r.Reminder.Status.String())
	case engine.RemindersReply:
		for i := range r.Items {
			d.add(r.Items[i].ID, r.Items[i].Status.String(), r.Items[i].Reason.String())
		}
	default:
		d.add("reply", user)
	}
}

func (d *digest) sum() string {
	d.flush()
	return hex.EncodeToString(d.h.Sum(nil))[:32]
}

func rfc3339(at engine.Millis) string {
	return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z")
}
