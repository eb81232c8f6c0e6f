package waltest

import (
	"fmt"

	"carillon/wal"
)

var indexRules = map[string]func(*bench){
	"an index key changes with its record":       indexChanges,
	"a nil value deletes, an empty one does not": indexDeletes,
	"index operations act in order":              indexInOrder,
	"spaces do not overlap":                      spacesApart,
	"a scan gives at most limit keys after":      scanLimits,
	"a scan of many keys is whole and in order":  scanMany,
	"what the index gives is a copy":             indexIsCopy,
}

func put(space, key, value string) wal.IndexOp {
	return wal.IndexOp{Space: space, Key: []byte(key), Value: []byte(value)}
}

func del(space, key string) wal.IndexOp { return wal.IndexOp{Space: space, Key: []byte(key)} }

func indexChanges(b *bench) {
	t := b.t
	b.add(t, "ann", "a", put("phone", "+1", "ann"), put("phone", "+2", "ann"))
	b.add(t, "ann", "b", put("phone", "+1", "bob"), del("phone", "+2"), del("phone", "+3"))
	for range 2 {
		equalAll(t, "phones", b.index(t, "phone", nil, 0), "+1=bob")
		_, ok, err := b.IndexGet("phone", []byte("+2"))
		must(t, err)
		equal(t, "deleted", ok, false)
		b.reopen(t)
	}
	_, err := b.Verify(nil)
	must(t, err)
}

func indexDeletes(b *bench) {
	t := b.t
	b.add(t, "ann", "a", put("s", "empty", ""), put("s", "gone", "x"), del("s", "gone"))
	v, ok, err := b.IndexGet("s", []byte("empty"))
	must(t, err)
	if !ok || v == nil || len(v) != 0 {
		t.Errorf("empty value: %v %v", v, ok)
	}
	equalAll(t, "keys", b.index(t, "s", nil, 0), "empty=")
}

func indexInOrder(b *bench) {
	t := b.t
	_, err := b.Append([]wal.Entry{
		{Stream: "ann", Index: []wal.IndexOp{put("s", "k", "1"), del("s", "k"), put("s", "k", "2")}},
		{Stream: "bob", Index: []wal.IndexOp{put("s", "k", "3"), put("s", "m", "4")}},
		{Stream: "cat", Index: []wal.IndexOp{del("s", "m")}},
	})
	must(t, err)
	equalAll(t, "keys", b.index(t, "s", nil, 0), "k=3")
}

func spacesApart(b *bench) {
	t := b.t
	b.add(t, "ann", "a", put("one", "k", "1"), put("two", "k", "2"), put("tw", "ok", "3"))
	b.add(t, "ann", "b", del("one", "k"))
	equal(t, "one", len(b.index(t, "one", nil, 0)), 0)
	equalAll(t, "two", b.index(t, "two", nil, 0), "k=2")
	equalAll(t, "tw", b.index(t, "tw", nil, 0), "ok=3")
	equal(t, "none", len(b.index(t, "none", nil, 0)), 0)
	_, ok, err := b.IndexGet("none", []byte("k"))
	must(t, err)
	equal(t, "key of no space", ok, false)
	wantErr(t, "no space", b.IndexScan("", nil, 0, nil), wal.ErrInvalid)
}

func scanLimits(b *bench) {
	t := b.t
	b.add(t, "ann", "a", put("s", "a", "1"), put("s", "b", "2"), put("s", "c", "3"), put("s", "d", "4"))
	equalAll(t, "two", b.index(t, "s", nil, 2), "a=1", "b=2")
	equalAll(t, "after a key", b.index(t, "s", []byte("b"), 1), "c=3")
	equalAll(t, "after no key", b.index(t, "s", []byte("bb"), 0), "c=3", "d=4")
	equal(t, "after the last", len(b.index(t, "s", []byte("d"), 0)), 0)
	n := 0
	err := b.IndexScan("s", nil, 0, func(_, _ []byte) error { n++; return errStop })
	wantErr(t, "error of fn", err, errStop)
	equal(t, "calls", n, 1)
}

func scanMany(b *bench) {
	t := b.t
	const n = 2500 // more than two slices
	var ops, tail []wal.IndexOp
	for i := range n {
		ops = append(ops, put("s", fmt.Sprintf("%05d", i), "v"))
		if i%2 == 1 {
			tail = append(tail, del("s", fmt.Sprintf("%05d", i)))
		}
	}
	b.add(t, "ann", "a", ops...)
	all := b.index(t, "s", nil, 0)
	equal(t, "keys", len(all), n)
	for i, kv := range all {
		if kv != fmt.Sprintf("%05d=v", i) {
			t.Fatalf("key %d is %s", i, kv)
		}
	}
	equal(t, "limited", len(b.index(t, "s", []byte("00001"), 1500)), 1500)
	b.add(t, "ann", "b", tail...)
	b.reopen(t)
	equal(t, "after deleting half", len(b.index(t, "s", nil, 0)), n/2)
	_, err := b.Verify(nil)
	must(t, err)
}

func indexIsCopy(b *bench) {
	t := b.t
	b.add(t, "ann", "a", put("s", "k", "value"))
	v, _, err := b.IndexGet("s", []byte("k"))
	must(t, err)
	v[0] = 'X'
	equalAll(t, "keys", b.index(t, "s", nil, 0), "k=value")
}
