package codec_test

import (
	"fmt"
	"testing"

	"carillon/engine"
	"carillon/engine/codec"
)

const noon = 1_785_585_600_000 // 2026-08-01T12:00:00Z

func attemptStarted() engine.Event {
	return engine.AttemptStarted{
		ID: "r_4f1c0a9be27d5583", MessageID: "m_91b2c77f03e8a6d4", To: "+4915112345678",
		Text:     "Reminder: Project review with Dana starts at 14:30 in room 4.12. Reply STOP to opt out.",
		Segments: 1, On: 20666, ValidUntil: noon + 15*60_000,
	}
}

func plannedReminder() engine.Event {
	return engine.ReminderPlanned{Reminder: &engine.PlannedReminder{
		ID: "r_4f1c0a9be27d5583", EventID: "evt_20260801_project_review", Title: "Project review with Dana",
		Lead: 15, Occ: noon, Start: noon, End: noon + 3600_000, Priority: engine.PriorityNormal,
		Due: noon - 900_000, Deadline: noon, On: 20666,
	}}
}

func user(events int) *engine.User {
	u := &engine.User{
		ID: "u_7f3a1c", Exists: true, Zone: "Europe/Berlin", Prefs: engine.DefaultPreferences(),
		Phone: "+4915112345678", Verified: true, EventSeq: 40, CreatedAt: noon, UpdatedAt: noon,
		Day: engine.Day{Date: 20666, Start: noon - 14*3600_000, End: noon + 10*3600_000, Account: 20666},
	}
	u.Prefs.Reminders = true
	for i := range events {
		id := fmt.Sprintf("evt_20260801_project_review_%d", i)
		start := noon + int64(i)*3600_000
		u.Events = append(u.Events, engine.StoredEvent{
			CalendarEvent: &engine.CalendarEvent{
				ID: id, Title: "Project review with Dana", Location: "Room 4.12",
				Start: start, End: start + 3600_000, Version: noon, HasVersion: true,
			},
			UpdatedAt: noon,
		})
		u.Reminders = append(u.Reminders, &engine.Reminder{
			PlannedReminder: &engine.PlannedReminder{
				ID: fmt.Sprintf("r_4f1c0a9be27d558%d", i), EventID: id, Title: "Project review with Dana",
				Lead: 15, Occ: start, Start: start, End: start + 3600_000,
				Priority: engine.PriorityNormal, Due: start - 900_000, Deadline: start, On: 20666,
			},
			Status: engine.StatusScheduled, Reserved: true, CreatedAt: noon, UpdatedAt: noon,
		})
	}
	return u
}

// TestSizes keeps snapshots small: they are most of what is on the disk.
func TestSizes(t *testing.T) {
	idle := user(1)
	idle.Reminders = nil
	if n := len(codec.AppendUser(nil, idle)); n >= 300 {
		t.Errorf("an idle user with one event takes %d bytes", n)
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	events, u := []engine.Event{attemptStarted(), plannedReminder()}, user(5)
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { codec.AppendRecord(buf, 1, events) }); n != 0 {
		t.Errorf("%v allocations for a record", n)
	}
	if n := testing.AllocsPerRun(100, func() { codec.AppendUser(buf, u) }); n != 0 {
		t.Errorf("%v allocations for a user", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, e := range []engine.Event{attemptStarted(), plannedReminder()} {
		events := []engine.Event{e}
		data := codec.AppendRecord(nil, 1234, events)
		b.Run(fmt.Sprintf("encode/%T", e), func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 4096)
			for b.Loop() {
				buf = codec.AppendRecord(buf[:0], 1234, events)
			}
			b.ReportMetric(float64(len(buf)), "wire-B")
		})
		b.Run(fmt.Sprintf("decode/%T", e), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := codec.DecodeRecord(codec.Version, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUser(b *testing.B) {
	u := user(5)
	data := codec.AppendUser(nil, u)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 4096)
		for b.Loop() {
			buf = codec.AppendUser(buf[:0], u)
		}
		b.ReportMetric(float64(len(buf)), "wire-B")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := codec.DecodeUser(codec.Version, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
