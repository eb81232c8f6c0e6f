package httpapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"carillon/engine"
	"carillon/httpapi"
)

// TestNoticesAreDescribed: every outgoing webhook is in the document, nothing
// else is, and what is posted is what the document says.
func TestNoticesAreDescribed(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	reminder, message := h.send()
	got, ok := h.fake.decide("ann", engine.GetReminder{ID: reminder}, "", 0).(engine.ReminderReply)
	if !ok {
		t.Fatal("no reminder")
	}
	var doc struct {
		Webhooks map[string]struct {
			Post struct {
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Ref string `json:"$ref"`
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(h.call("GET", "/openapi.json", "").is(200).raw, &doc); err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, kind := range engine.NoticeTypes() {
		types = append(types, string(kind))
	}
	slices.Sort(types)
	if described := slices.Sorted(maps.Keys(doc.Webhooks)); !slices.Equal(described, types) {
		t.Errorf("described %v, told %v", described, types)
	}
	schema := loadDocument(h).doc.Components.Schemas["Notice"].Value
	full := engine.Notice{
		ReminderID: reminder, MessageID: message, SnoozeID: "r_2", Due: h.fake.now, Reason: engine.ReasonAccepted, Sender: "MG1", By: "sms", Text: "stop",
	}
	for _, kind := range engine.NoticeTypes() {
		if ref := doc.Webhooks[string(kind)].Post.RequestBody.Content["application/json"].Schema.Ref; ref != "#/components/schemas/Notice" {
			t.Errorf("%s is described by %q", kind, ref)
		}
		full.Type = kind
		for _, body := range [][]byte{notice(t, full, "ann", &got.Reminder), notice(t, engine.Notice{Type: kind}, "", nil)} {
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				t.Fatal(err)
			}
			if err := schema.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
				t.Errorf("%s: %v\n%s", kind, err, body)
			}
		}
	}
}

func notice(t *testing.T, n engine.Notice, user string, about *engine.ReminderView) []byte {
	t.Helper()
	body, err := httpapi.EncodeNotice(n, user, at(start), about)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestNoticeShowsTheReminderAsTheAPIDoes: the same words, and nothing more.
func TestNoticeShowsTheReminderAsTheAPIDoes(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	id, _ := h.send()
	got, ok := h.fake.decide("ann", engine.ReadNotice{ReminderID: id}, "", 0).(engine.NoticeReply)
	if !ok || got.Reminder == nil {
		t.Fatalf("reply %+v", got)
	}
	var told struct {
		Type, Timestamp string
		Data            map[string]json.RawMessage
	}
	if err := json.Unmarshal(notice(t, engine.Notice{Type: engine.NoticeSent, ReminderID: id}, "ann", got.Reminder), &told); err != nil {
		t.Fatal(err)
	}
	if shown := h.call("GET", "/v1/users/ann/reminders/"+id, "").is(200).raw; string(told.Data["reminder"]) != string(shown) {
		t.Errorf("told %s\nshown %s", told.Data["reminder"], shown)
	}
	if told.Type != "reminder.sent" || told.Timestamp != "2026-03-02T07:00:00Z" || len(told.Data) != 3 {
		t.Errorf("told %+v", told)
	}
}
