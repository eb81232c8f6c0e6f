package actors_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
	"carillon/wal/waltest"
)

// BenchmarkDo is a command's way through router, user actor, journal and back,
// from 256 callers a processor: with a log in memory, and with its flush.
func BenchmarkDo(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchDo(b, waltest.NewMem(waltest.MemOptions{})) })
	b.Run("disk", func(b *testing.B) {
		db, err := wal.Open(b.TempDir(), wal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchDo(b, db)
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

func benchDo(b *testing.B, log wal.Log) {
	b.Helper()
	node, err := actors.Start(actors.Config{Log: log, Clock: actors.SystemClock{}, Sender: provider.DryRun{}, Verifier: provider.DryRun{}})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	do := func(user int, cmd engine.Command) {
		if reply, err := node.Do(ctx, fmt.Sprintf("user-%d", user), cmd, "", 0); err != nil {
			b.Error(reply, err)
		}
	}
	const users = 1000
	for i := range users {
		do(i, engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
	}
	var turn atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(256)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := turn.Add(1)
			do(int(i%users), engine.PauseUser{Paused: i/users%2 == 0})
		}
	})
	b.StopTimer()
	if err := node.Stop(ctx); err != nil {
		b.Fatal(err)
	}
}
