package engine_test

import (
	"fmt"
	"time"

	"carillon/engine"
)

// The life of a reminder, from a calendar event to a delivered text. Each
// command is one decision: its events go to the journal, and only then do its
// effects and its reply leave.
func ExampleDecide() {
	ada := &engine.User{ID: "ada"}
	now := time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)
	policy := engine.DefaultPolicy()
	decide := func(cmd engine.Command) engine.Decision {
		d := engine.Decide(ada, engine.Env{
			Now: now.UnixMilli(), Zone: time.LoadLocation, Policy: policy,
		}, cmd)
		for _, e := range d.Events {
			fmt.Println(" ", engine.Describe(e).Kind)
		}
		return d
	}

	fmt.Println("a user with a verified number")
	decide(engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true)})
	decide(engine.AttestPhone{Phone: "+4915112345678"})

	fmt.Println("an event")
	start := now.Add(2 * time.Hour)
	decide(engine.Put(engine.CalendarEvent{
		ID: "standup", Title: "Stand-up", Location: "Room 4", Start: start.UnixMilli(), End: start.Add(time.Hour).UnixMilli(),
	}))
	now = time.UnixMilli(ada.NextWake(now.UnixMilli(), &policy))
	fmt.Println("due at", now.UTC().Format(time.TimeOnly))
	offer := decide(engine.Wake{}).Effects[0].(engine.Offer)

	fmt.Println("its turn at the carrier")
	message := decide(engine.HandOver{ReminderID: offer.ReminderID}).Reply.(engine.HandOverReply).Message
	fmt.Printf("  to %s: %q\n", message.To, message.Text)
	decide(engine.RecordOutcome{
		MessageID: message.MessageID, Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued,
	})

	fmt.Println("the carrier's callback")
	decide(engine.ReportDelivery{MessageID: message.MessageID, SID: "SM1", Status: engine.MessageDelivered})
	r := decide(engine.GetReminder{ID: offer.ReminderID}).Reply.(engine.ReminderReply).Reminder
	fmt.Println("the reminder is", r.Status)
	// Output:
	// a user with a verified number
	//   user_created
	//   plan_ran
	//   phone_set
	// an event
	//   event_put
	//   reminder_scheduled
	// due at 08:45:00
	// its turn at the carrier
	//   hand_over_started
	//   to +4915112345678: "Stand-up in 15 mins @ Room 4"
	//   message_accepted
	// the carrier's callback
	//   delivery_reported
	// the reminder is delivered
}

// A replay of the events gives the same state: nothing in them is computed
// again.
func ExampleUser_Apply() {
	now := time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC).UnixMilli()
	live := &engine.User{ID: "ada"}
	d := engine.Decide(live, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()},
		engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Phone: engine.Some("+4915112345678")})

	replayed := &engine.User{ID: "ada"}
	for _, e := range d.Events {
		replayed.Apply(now, e)
	}
	fmt.Println(replayed.Zone, replayed.Phone, replayed.EventSeq == live.EventSeq)
	// Output: Europe/Berlin +4915112345678 true
}
