package wal_test

import (
	"fmt"
	"testing"

	"carillon/wal"
)

// benchBatch prepares a batch over 1,000 streams with payloads of 100 bytes.
func benchBatch(n int) (batch []wal.Entry, link func(first uint64)) {
	heads := make([]uint64, 1000)
	names := make([]string, len(heads))
	for i := range names {
		names[i] = fmt.Sprintf("01JQ%022d", i)
	}
	batch = make([]wal.Entry, n)
	data := make([]byte, 100)
	at := 0
	return batch, func(first uint64) {
		for i := range batch {
			u := at % len(heads)
			at++
			batch[i] = wal.Entry{Stream: names[u], Prev: heads[u], Kind: 1, Version: 1, At: 1_700_000_000_000, Data: data}
			heads[u] = first + uint64(i)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			db, err := wal.Open(b.TempDir(), wal.Options{})
			if err != nil {
				b.Fatal(err)
			}
			batch, link := benchBatch(n)
			b.ReportAllocs()
			for b.Loop() {
				link(db.NextSeq())
				if _, err := db.Append(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkPutSnapshots is a transaction of a round: 512 of 100,000 streams, in
// order, each of which has a snapshot already.
func BenchmarkPutSnapshots(b *testing.B) {
	const streams, together = 100_000, 512
	db, err := wal.Open(b.TempDir(), wal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	entries, states := make([]wal.Entry, streams), make([]wal.Snapshot, streams)
	for i := range entries {
		name := fmt.Sprintf("01JQ%022d", i)
		entries[i] = wal.Entry{Stream: name, Kind: 1, Version: 1, At: 1_700_000_000_000, Data: make([]byte, 100)}
		states[i] = wal.Snapshot{Stream: name, Data: make([]byte, 300)}
	}
	first, err := db.Append(entries)
	if err != nil {
		b.Fatal(err)
	}
	for i := range states {
		states[i].Seq = first + uint64(i)
	}
	if err := db.PutSnapshots(states); err != nil {
		b.Fatal(err)
	}
	at := 0
	b.ReportAllocs()
	for b.Loop() {
		if at+together > streams {
			at = 0
		}
		if err := db.PutSnapshots(states[at : at+together]); err != nil {
			b.Fatal(err)
		}
		at += together
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkReplay(b *testing.B) {
	const records = 1_000_000
	db, err := wal.Open(b.TempDir(), wal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	batch, link := benchBatch(10_000)
	for range records / len(batch) {
		link(db.NextSeq())
		if _, err := db.Append(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := db.Replay(0, func(wal.Record) error { n++; return nil })
		if err != nil || n != records {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}
