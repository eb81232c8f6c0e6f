package actors_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// hearsAll takes everything at once.
type hearsAll struct{ heard atomic.Int64 }

func (h *hearsAll) Notify(context.Context, provider.Notification) provider.Hearing {
	h.heard.Add(1)
	return provider.Hearing{Kind: provider.Heard}
}

// BenchmarkTold is a calendar event that makes a reminder, on a real store,
// without a receiver and with one that is told (until it has heard it).
func BenchmarkTold(b *testing.B) {
	b.Run("nobody", func(b *testing.B) { benchTold(b, nil) })
	b.Run("a receiver", func(b *testing.B) { benchTold(b, &hearsAll{}) })
}

func benchTold(b *testing.B, h *hearsAll) {
	b.Helper()
	store, err := wal.Open(b.TempDir(), wal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	cfg := actors.Config{Log: store, Clock: actors.SystemClock{}, Sender: &carrier{}, Verifier: provider.DryRun{}}
	if h != nil {
		cfg.Notifier = h
	}
	n, err := actors.Start(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.Stop(context.Background()) }()
	const users = 1000
	ask := func(user string, cmd engine.Command, wg *sync.WaitGroup) {
		wg.Add(1)
		if err := n.Ask(user, cmd, "", 0, func(engine.Reply, error) { wg.Done() }); err != nil {
			b.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range users {
		id := fmt.Sprint("u", i)
		ask(id, engine.UpdateUser{
			Create: true, Zone: engine.Some("UTC"), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{}),
			DailyLimit: engine.Some(int32(100)), Leads: engine.Some([]int32{1}),
		}, &wg)
		ask(id, engine.AttestPhone{Phone: fmt.Sprintf("+1555010%04d", i)}, &wg)
	}
	wg.Wait()
	start := (time.Now().UnixMilli()/86_400_000+1)*86_400_000 - 60_000 // today, in UTC
	b.ResetTimer()
	for i := range b.N {
		ask(fmt.Sprint("u", i%users), engine.Put(engine.CalendarEvent{ID: fmt.Sprint("e", i), Title: "Review", Start: start, End: start + 1}), &wg)
		if i%10_000 == 9_999 {
			wg.Wait()
		}
	}
	wg.Wait()
	for h != nil && h.heard.Load() < int64(min(b.N, users*10)) {
		<-time.After(time.Millisecond)
	}
}
