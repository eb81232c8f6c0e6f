package waltest

import (
	"bytes"
	"errors"
	"strings"

	"carillon/wal"
)

var appendRules = map[string]func(*bench){
	"the first sequence ever is 1":            firstIsOne,
	"sequences follow the order of the batch": batchOrder,
	"an empty batch writes nothing":           emptyBatch,
	"data is copied":                          dataIsCopied,
	"a later entry may link to an earlier":    linkInBatch,
	"a stale prev refuses the whole batch":    stalePrev,
	"limits are inclusive":                    atTheLimits,
	"an entry over a limit refuses the batch": overTheLimits,
	"an entry that makes no sense is invalid": invalidEntries,
	"a record comes back as it was appended":  roundTrip,
}

func firstIsOne(b *bench) {
	t := b.t
	equal(t, "next before", b.NextSeq(), 1)
	equal(t, "first", b.add(t, "ann", "a"), 1)
	equal(t, "next after", b.NextSeq(), 2)
}

func batchOrder(b *bench) {
	t := b.t
	b.add(t, "ann", "0")
	first, err := b.Append([]wal.Entry{{Stream: "bob", Data: []byte("1")}, {Stream: "cat", Data: []byte("2")}})
	must(t, err)
	equal(t, "first", first, 2)
	equal(t, "next", b.NextSeq(), 4)
	equalAll(t, "log", b.replay(t, 2), `2 bob<0 k0 v0 at0 "1"`, `3 cat<0 k0 v0 at0 "2"`)
}

func emptyBatch(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	first, err := b.Append(nil)
	must(t, err)
	equal(t, "first", first, 2)
	equal(t, "next", b.NextSeq(), 2)
}

func dataIsCopied(b *bench) {
	t := b.t
	data, key, value := []byte("before"), []byte("k"), []byte("v")
	_, err := b.Append([]wal.Entry{{Stream: "ann", Data: data, Index: []wal.IndexOp{{Space: "s", Key: key, Value: value}}}})
	must(t, err)
	data[0], key[0], value[0] = 'X', 'X', 'X'
	equalAll(t, "log", b.replay(t, 1), `1 ann<0 k0 v0 at0 "before"`)
	equalAll(t, "index", b.index(t, "s", nil, 0), "k=v")
}

func linkInBatch(b *bench) {
	t := b.t
	next := b.NextSeq()
	_, err := b.Append([]wal.Entry{{Stream: "ann"}, {Stream: "bob"}, {Stream: "ann", Prev: next}})
	must(t, err)
	equal(t, "head of ann", b.Head("ann"), 3)
	equalAll(t, "history", b.history(t, "ann", 3), 3, 1)
}

func stalePrev(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.add(t, "ann", "b")
	for name, prev := range map[string]uint64{"none": 0, "an older one": 1, "another stream's": 3, "one ahead": 4} {
		_, err := b.Append([]wal.Entry{
			{Stream: "new", Index: []wal.IndexOp{{Space: "s", Key: []byte("k"), Value: []byte("v")}}},
			{Stream: "ann", Prev: prev},
		})
		wantErr(t, name, err, wal.ErrConflict)
	}
	equal(t, "next", b.NextSeq(), 3)
	equal(t, "head of ann", b.Head("ann"), 2)
	equal(t, "head of new", b.Head("new"), 0)
	equal(t, "records", len(b.replay(t, 0)), 2)
	equal(t, "index keys", len(b.index(t, "s", nil, 0)), 0)
	b.add(t, "new", "c")
}

// entries has one of each limit, at the limit plus over.
func entries(over int) map[string]wal.Entry {
	op := func(space, key, value int) []wal.IndexOp {
		return []wal.IndexOp{{
			Space: strings.Repeat("s", space),
			Key:   bytes.Repeat([]byte("k"), key), Value: make([]byte, value),
		}}
	}
	return map[string]wal.Entry{
		"stream": {Stream: strings.Repeat("u", wal.MaxStreamBytes+over)},
		"data":   {Stream: "data", Data: make([]byte, wal.MaxDataBytes+over)},
		"space":  {Stream: "space", Index: op(wal.MaxSpaceBytes+over, 1, 1)},
		"key":    {Stream: "key", Index: op(1, wal.MaxKeyBytes+over, 1)},
		"value":  {Stream: "value", Index: op(1, 1, wal.MaxValueBytes+over)},
	}
}

func atTheLimits(b *bench) {
	t := b.t
	for name, e := range entries(0) {
		seq, err := b.Append([]wal.Entry{e})
		if err != nil {
			t.Errorf("%s at the limit: %v", name, err)
		}
		equalAll(t, name, b.history(t, e.Stream, seq), seq)
		for _, op := range e.Index {
			v, ok, err := b.IndexGet(op.Space, op.Key)
			if err != nil || !ok || !bytes.Equal(v, op.Value) {
				t.Errorf("index of %s at the limit: %v %v", name, ok, err)
			}
		}
	}
	b.reopen(t)
	rep, err := b.Verify(nil)
	must(t, err)
	equal(t, "records", rep.Records, 5)
}

func overTheLimits(b *bench) {
	t := b.t
	for name, e := range entries(1) {
		_, err := b.Append([]wal.Entry{{Stream: "ok"}, e})
		wantErr(t, name, err, wal.ErrTooLarge)
	}
	equal(t, "next", b.NextSeq(), 1)
	equal(t, "head", b.Head("ok"), 0)
}

func invalidEntries(b *bench) {
	t := b.t
	for name, e := range map[string]wal.Entry{
		"no stream": {},
		"no space":  {Stream: "ann", Index: []wal.IndexOp{{Key: []byte("k")}}},
		"no key":    {Stream: "ann", Index: []wal.IndexOp{{Space: "s", Value: []byte("v")}}},
	} {
		_, err := b.Append([]wal.Entry{{Stream: "ok"}, e})
		wantErr(t, name, err, wal.ErrInvalid)
	}
	equal(t, "next", b.NextSeq(), 1)
}

func roundTrip(b *bench) {
	t := b.t
	all := []byte{0, 255, 10, 128}
	must(t, errOf(b.Append([]wal.Entry{
		{Stream: "\x00\xff", Kind: 255, Version: 254, At: -1 << 63, Wake: 1<<63 - 1, Data: all},
		{Stream: "e", At: 1<<63 - 1, Data: nil},
		{Stream: "f", At: 5, Wake: 2, Data: nil},
	})))
	b.reopen(t)
	var got []wal.Record
	must(t, b.Replay(0, func(r wal.Record) error {
		if r.Data == nil || r.Redacted {
			t.Errorf("record %d: data is nil or redacted", r.Seq)
		}
		r.Data = bytes.Clone(r.Data)
		got = append(got, r)
		return nil
	}))
	equalAll(
		t, "log", []string{show(got[0]), show(got[1]), show(got[2])},
		show(wal.Record{Seq: 1, Stream: "\x00\xff", Kind: 255, Version: 254, At: -1 << 63, Wake: 1<<63 - 1, Data: all}),
		show(wal.Record{Seq: 2, Stream: "e", At: 1<<63 - 1, Data: []byte{}}),
		show(wal.Record{Seq: 3, Stream: "f", At: 5, Wake: 2, Data: []byte{}}),
	)
}

func errOf(_ uint64, err error) error { return err }

var errStop = errors.New("stop")
