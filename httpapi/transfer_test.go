package httpapi_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"carillon/engine"
	"carillon/httpapi"
)

// TestExportAndCarry: what is exported makes the same people elsewhere, with
// their consent, calendar and custom reminders.
func TestExportAndCarry(t *testing.T) {
	t.Parallel()
	from, to := open(t, nil), open(t, nil)
	from.ann()
	from.call("PATCH", "/v1/users/ann", `{"preferences":{"quiet_hours":null,"all_day_at":"08:30","lead_times_minutes":[5,60]}}`).is(200)
	from.call("PUT", "/v1/users/ann/events/a%3Fb%22c%20%3Cd", `{"title":"One","start":"2026-03-04T10:00:00Z","version":3,"attendees":["x"],"response":"accepted"}`).is(201)
	from.call("PUT", "/v1/users/ann/events/day", `{"start":"2026-03-05","updated_at":"2026-03-01T00:00:00Z"}`).is(201)
	from.call("PUT", "/v1/users/ann/events/gone", `{"start":"2026-03-04T10:00:00Z"}`).is(201)
	from.call("DELETE", "/v1/users/ann/events/gone", "").is(200)
	from.call("POST", "/v1/users/ann/reminders", `{"text":"Pills","send_at":"2026-03-03T12:00:00Z","priority":"urgent"}`).is(201)
	feed := from.call("POST", "/v1/calendars/ann/ics", `{"url":"https://calendar.example.org/x/ann.ics","email":"ann@example.org","refresh_minutes":60}`).is(201)
	from.call("POST", "/v1/calendars/ann/google", `{"calendar_id":"team@example.org","refresh_token":"hush","show_private":true}`).is(201)
	from.fake.decide("ann", engine.RecordCalendar{
		ID: feed.at("calendar_id").(string), ConnectedAt: from.fake.now,
		Events: []engine.CalendarEvent{{ID: "e", Title: "From the feed", Start: from.fake.now + 3_600_000, End: from.fake.now + 7_200_000}},
	}, "", 0)
	from.call("PUT", "/v1/users/b%25%2B", `{"timezone":"Asia/Kolkata","phone_number":"+15005550006"}`).is(201)
	from.call("POST", "/v1/users/b%25%2B/opt-out", "").is(200)
	from.call("POST", "/v1/users/b%25%2B/pause", "").is(200)

	var lines bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(from.fake.users)) {
		if err := httpapi.Export(&lines, from.fake.users[id]); err != nil {
			t.Fatal(err)
		}
	}
	results, err := to.server.Carry(t.Context(), lines.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(results, []byte("\n")); n != bytes.Count(lines.Bytes(), []byte("\n")) || bytes.Contains(results, []byte(`"code"`)) {
		t.Fatalf("%s\n%s", lines.Bytes(), results)
	}
	for id, u := range from.fake.users {
		v := to.fake.users[id]
		if v == nil {
			t.Fatalf("%s is not there", id)
		}
		if v.Zone != u.Zone || !reflect.DeepEqual(v.Prefs, u.Prefs) || v.Phone != u.Phone || v.Verified != u.Verified || v.OptedOut != u.OptedOut || v.Paused != u.Paused {
			t.Errorf("%s became %+v, want %+v", id, v, u)
		}
		if got, want := calendar(v), calendar(u); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the calendar is %+v, want %+v", id, got, want)
		}
		if got, want := sources(v), sources(u); !slices.Equal(got, want) {
			t.Errorf("%s: the connected calendars are %v, want %v", id, got, want)
		}
		if got, want := waiting(v), waiting(u); !slices.Equal(got, want) {
			t.Errorf("%s: what waits is %v, want %v", id, got, want)
		}
	}
}

func calendar(u *engine.User) []engine.CalendarEvent {
	var out []engine.CalendarEvent
	for _, e := range u.Events {
		if !e.Deleted && !u.Follows(e.ID) { // a feed's come from the feed
			out = append(out, *e.CalendarEvent)
		}
	}
	return out
}

func sources(u *engine.User) []string {
	var out []string
	for _, k := range u.Calendars {
		out = append(out, fmt.Sprint(k.Kind, k.Source, k.Token, k.Access, k.Self, k.Private, k.Every))
	}
	return out
}

// waiting lists what a user waits for, without ids: a custom reminder's is
// another one elsewhere.
func waiting(u *engine.User) []string {
	var out []string
	for _, r := range u.Reminders {
		if r.Status == engine.StatusScheduled && !u.Follows(r.EventID) {
			out = append(out, r.EventID+"|"+r.Title+"|"+r.On.String())
		}
	}
	slices.Sort(out)
	return out
}
