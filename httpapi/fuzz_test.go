package httpapi

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"carillon/engine"
)

// plain turns what parse made into what encoding/json makes. Of a name that
// stands twice the last value counts there.
func plain(v value) any {
	switch v.kind {
	case isObject:
		out := map[string]any{}
		for _, m := range v.kids {
			out[string(m.name)] = plain(m.value)
		}
		return out
	case isList:
		out := make([]any, len(v.kids))
		for i := range v.kids {
			out[i] = plain(v.kids[i].value)
		}
		return out
	case isString:
		return string(v.bytes())
	case isNumber:
		var f float64
		if json.Unmarshal(v.raw, &f) != nil {
			return nil // beyond float64
		}
		return f
	case isBool:
		return string(v.raw) == "true"
	case isNull:
	}
	return nil
}

// levels is how deep a valid text nests.
func levels(body []byte) int {
	deepest, depth, inside := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// FuzzParse: whatever parse takes, encoding/json takes and reads alike; what
// it refuses is refused with a document, and broken or too deep.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-2.5e+3,true,false,null,"x\"\\\u00e9\ud83d\ude00"],"b":{}}`, ` { } `, `[]`, `"\u0000"`, `1`, `{"a":1,"a":2}`, `{"a"`, `[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]`, "\xff", `"\ud800"`, `nul`, `-`, `01`, `1.`, `1e`, `.5`, `-0.0E-0`, `"\u12g4"`, `"\x"`, "\"\t\"", `[1,]`, `{"a":1,}`, `{,}`, `[1 2]`, `{"a" 1}`, `{1:1}`, `1 1`, "\x00", "1\x00", `"`, `"\`, `[`, ` `, `truefalse`, `{"\u0061":[[]],"":{"":""}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		room := make([]member, 1, 3)
		got, err := parse(body, &room)
		var want any
		wantErr := json.Unmarshal(body, &want)
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Status != 400 || p.Code != codeInvalidJSON {
				t.Fatalf("refused with %v", err)
			}
			if json.Valid(body) && utf8.Valid(body) && levels(body) <= maxDepth {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if _, beyond := errors.AsType[*json.UnmarshalTypeError](wantErr); beyond {
			return // a number beyond float64: a field's reader refuses it
		}
		if wantErr != nil {
			t.Fatalf("taken, but encoding/json says %v", wantErr)
		}
		if !reflect.DeepEqual(plain(got), want) {
			t.Fatalf("read as %v, want %v", plain(got), want)
		}
	})
}

// FuzzText: a string is appended as encoding/json writes it.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "Planning", "Grüße 👋", "a\"b\\c", "\u2028\u2029", "<&>", "\x00\x1f\x7f", "\xff", "\xed\xa0\x80", "\ufffd", "line\nbreak"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := encode(s)
		if got := appendText([]byte("x"), s); err != nil || string(got) != "x"+string(want) {
			t.Fatalf("%q is written as %s, want %s (%v)", s, got[1:], want, err)
		}
	})
}

// FuzzEvent: an event that is taken can be shown and is taken again as the
// same; one that is refused names a field.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"title":"x","start":"2026-03-02T10:00:00.250+01:00","end":"2026-03-02T11:00:00Z","attendees":["a"],"response":"declined","busy":false,"version":7}`))
	f.Add([]byte(`{"start":"2026-03-02","end":"2026-03-04","updated_at":"2026-03-01T00:00:00Z","sync_status":"cancelled"}`))
	f.Add([]byte(`{"start":"9999-12-30","version":9223372036854775807}`))
	f.Add([]byte(`{"start":"1970-01-01T00:00:00Z","end":5,"all_day":true,"title":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readObject(body)
		if err != nil {
			return
		}
		e := readEvent(o, "e")
		if err := o.err(); err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Status != 422 || len(p.Errors) == 0 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		shown, err := encode(&eventJSON{CalendarEvent: e})
		if err != nil || !utf8.Valid(shown) {
			t.Fatalf("can't be shown: %v %s", err, shown)
		}
		again, err := readObject(shown)
		if err != nil {
			t.Fatal(err)
		}
		if got := readEvent(again, "e"); again.err() != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("shown as %s, read as %+v, want %+v (%v)", shown, got, e, again.err())
		}
	})
}

// FuzzUser: what a user's body sets is in the ranges that the types allow,
// and never is a number stored that is not E.164.
func FuzzUser(f *testing.F) {
	f.Add([]byte(`{"timezone":"UTC","phone_number":"0151 12345678","preferences":{"lead_times_minutes":[5,60],"quiet_hours":{"start":"22:00","end":"06:00"},"all_day_at":"09:00"}}`), true)
	f.Add([]byte(`{"phone_number":null,"preferences":{"quiet_hours":null,"daily_limit":null,"quiet_policy":"skip"}}`), false)
	f.Fuzz(func(t *testing.T, body []byte, patch bool) {
		o, err := readObject(body)
		if err != nil {
			return
		}
		c, quiet := readUser(o, "ann", "DE", patch)
		if o.err() != nil {
			return
		}
		if p := c.Phone.Value; p != "" && (p[0] != '+' || len(p) < 5 || len(p) > 16) {
			t.Fatalf("number %q", p)
		}
		if at := c.AllDayAt.Value; c.AllDayAt.Set && at != engine.NoAllDay && (at < 0 || at > 1439) {
			t.Fatalf("all-day time %d", at)
		}
		if q := quiet.over(engine.Quiet{}); q.Start > 1439 || q.End > 1439 {
			t.Fatalf("quiet hours %+v", q)
		}
		if !patch && quiet.partial() {
			t.Fatal("half of the quiet hours")
		}
	})
}

// FuzzInstant: an instant that is taken is the one that time.Parse reads, and
// comes out as it went in.
func FuzzInstant(f *testing.F) {
	for _, s := range []string{"2026-03-02T10:00:00Z", "2026-03-02t10:00:00.123z", "2026-03-02T10:00:00.120000+05:30", "9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01", "2026-02-29T00:00:00Z", "2026-06-30T23:59:60Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseInstant(s)
		if err != nil {
			return
		}
		if at < 0 || time.UnixMilli(at).UTC().Year() > 9999 {
			t.Fatalf("%q is %d", s, at)
		}
		if again, err := parseInstant(showInstant(at)); err != nil || again != at {
			t.Fatalf("%q is shown as %q", s, showInstant(at))
		}
	})
}

// FuzzChanges: each change of a webhook that is taken is a command for a user
// that can be, known by a version or by a key of its own; one that is refused
// names a field.
func FuzzChanges(f *testing.F) {
	f.Add([]byte(`{"type":"x","timestamp":"2026-03-02T10:00:00Z","changes":[{"user_id":"ada","event":{"event_id":"e","start":"2026-03-02","version":1}},{"user_id":"bob","deleted":"e","updated_at":"2026-03-02T10:00:00Z"}]}`))
	f.Add([]byte(`{"changes":[{"user_id":"ada","deleted":"e"},{"user_id":"ada","event":{"event_id":"e","start":"2026-03-02T10:00:00Z"}}]}`))
	f.Add([]byte(`{"changes":[{"user_id":"!ada","event":null,"deleted":7},[]],"more":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readObject(body)
		if err != nil {
			return
		}
		changes := readChanges(o, "msg_1")
		if err := o.err(); err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Status != 422 || len(p.Errors) == 0 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		keys := map[string]bool{}
		for _, c := range changes {
			if !goodID(c.UserID, maxUserID) || reservedUser(c.UserID) || keys[c.Key] {
				t.Fatalf("%q, key %q", c.UserID, c.Key)
			}
			keys[c.Key] = c.Key != ""
			versioned := false
			switch cmd := c.Cmd.(type) { //nolint:gochecksumtype // the others are none
			case engine.PutEvent:
				versioned = cmd.Event.HasVersion && goodID(cmd.Event.ID, maxEventID)
			case engine.DeleteEvent:
				versioned = cmd.HasVersion && goodID(cmd.ID, maxEventID)
			default:
				t.Fatalf("a %T", c.Cmd)
			}
			if versioned == (c.Key != "") {
				t.Fatalf("versioned %t, key %q", versioned, c.Key)
			}
		}
	})
}
