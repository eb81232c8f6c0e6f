package actors_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
	"carillon/wal/waltest"
)

// W2: a start arms its timers by what the records say, so each has to say what
// the state that it leads to would.
func TestEveryRecordSaysWhenItsUserHasWorkNext(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", time.Hour)
		w.event("ada", "e2", 3*time.Hour)
		w.person("bob", "+15550100002")
		w.event("bob", "e1", time.Hour)
		w.do("bob", engine.PauseUser{Paused: true})
		w.carrier.set(func(provider.Message) provider.Outcome {
			return provider.Outcome{Kind: provider.Uncertain, Cause: "timeout"}
		})
		w.pass(26 * time.Hour)
		w.do("bob", engine.EraseUser{})
		policy, states, kinds := engine.DefaultPolicy(), map[string]*engine.User{}, map[string]bool{}
		err := w.log.Replay(0, func(r wal.Record) error {
			st := states[r.Stream]
			if st == nil {
				st = &engine.User{ID: r.Stream}
				states[r.Stream] = st
			}
			if r.Redacted {
				return nil
			}
			_, events, err := codec.DecodeRecord(r.Version, r.Data)
			for _, e := range events {
				st.Apply(r.At, e)
			}
			if want := st.EarliestWake(&policy); r.Wake != want {
				t.Errorf("record %d of %s: wake %d, the state's is %d", r.Seq, r.Stream, r.Wake, want)
			}
			kinds[r.Stream] = kinds[r.Stream] || r.Wake > r.At
			return err
		})
		if err != nil || !kinds["ada"] {
			t.Fatal(kinds, err)
		}
	})
}

// Whose last record says nothing is read by the start.
func TestStartReadsWhoseRecordsSayNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", time.Hour)
		silent := waltest.NewMem(waltest.MemOptions{})
		err := w.log.Replay(0, func(r wal.Record) error {
			e := wal.Entry{Stream: r.Stream, Prev: r.Prev, Kind: r.Kind, Version: r.Version, At: r.At, Data: bytes.Clone(r.Data)}
			_, err := silent.Append([]wal.Entry{e})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.stop()
		w.log = silent
		w.start()
		w.pass(2 * time.Hour)
		if got := len(w.carrier.texts()); got != 1 {
			t.Errorf("%d texts left", got)
		}
	})
}

// unblanked is a log whose process dies before it blanks anybody.
type unblanked struct{ wal.Log }

func (unblanked) Redact(string, uint64) (int, error) { return 0, nil }

// N6: an erasure that was cut short is ended by the start, from the record that
// says so.
func TestStartEndsAnErasureThatWasCutShort(t *testing.T) {
	cut := true
	config := func(c *actors.Config) {
		if cut {
			c.Log = unblanked{c.Log}
		}
	}
	inWorld(t, config, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.EraseUser{})
		w.person("ada", "+15550100003") // another person of that id
		w.pass(2 * time.Second)
		if rep, err := w.log.Verify(nil); err != nil || rep.Redacted > 0 {
			t.Fatalf("%d blanked, %v", rep.Redacted, err)
		}
		cut = false
		w.crash()
		w.pass(2 * time.Second)
		if rep, err := w.log.Verify(nil); err != nil || rep.Redacted == 0 || rep.Redacted == rep.Records {
			t.Errorf("%d of %d blanked, %v", rep.Redacted, rep.Records, err)
		}
		if got := w.do("ada", engine.GetUser{}).(engine.UserReply).User.Phone; got != "+15550100003" {
			t.Errorf("phone %s", got)
		}
	})
}

// N2: a store in which two people have one number is not sound, whichever of them the
// index has.
func TestCheckFindsANumberOfTwo(t *testing.T) {
	for _, second := range []string{"abe", "bob"} {
		inWorld(t, nil, func(w *world) {
			w.person("ada", "+15550100001")
			if err := w.check(); err != nil {
				t.Fatal(err)
			}
			_, err := w.log.Append([]wal.Entry{{
				Stream: second, Kind: 1, Version: codec.Version, At: time.Now().UnixMilli(),
				Data: codec.AppendRecord(nil, 1, []engine.Event{
					engine.ProfileSet{Created: true, Zone: "UTC", Prefs: engine.DefaultPreferences()}, engine.PhoneSet{Phone: "+15550100001", Verified: true},
				}),
				Index: []wal.IndexOp{
					{Space: "user", Key: []byte(second), Value: []byte{1}},
					{Space: "phone", Key: []byte("+15550100001"), Value: []byte(second)},
				},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.check(); err == nil || !strings.Contains(err.Error(), "ada") && !strings.Contains(err.Error(), second) {
				t.Errorf("%s has ada's number: %v", second, err)
			}
		})
	}
}
