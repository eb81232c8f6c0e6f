package httpapi_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"
	_ "time/tzdata"

	"carillon/engine"
	"carillon/httpapi"
)

// fake is a Backend that runs the real engine in memory: what the tests show
// of rules is the engine's own doing.
type fake struct {
	mu       sync.Mutex
	now      engine.Millis
	users    map[string]*engine.User
	timeline map[string][]engine.TimelineEntry
	paused   bool
	notReady string
	// trip, if set, is asked before everything is done.
	trip   func(user string, cmd engine.Command) error
	backup func(w io.Writer) error
	writes int // commands that led to events
}

func newFake(now engine.Millis) *fake {
	return &fake{now: now, users: map[string]*engine.User{}, timeline: map[string][]engine.TimelineEntry{}}
}

// fault is a Fault.
type fault struct {
	code  string
	after time.Duration
}

func (f fault) Error() string                  { return "fake: " + f.code }
func (f fault) Fault() (string, time.Duration) { return f.code, f.after }

func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("no such zone")
	}
	return time.LoadLocation(name)
}

func (f *fake) Do(ctx context.Context, id string, cmd engine.Command, key string, hash uint64) (engine.Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trip != nil {
		if err := f.trip(id, cmd); err != nil {
			return nil, err
		}
	}
	return f.decide(id, cmd, key, hash), nil
}

func (f *fake) DoAll(ctx context.Context, calls []engine.Call) {
	for i := range calls {
		c := &calls[i]
		c.Reply, c.Err = f.Do(ctx, c.UserID, c.Cmd, c.Key, c.KeyHash)
	}
}

func (f *fake) decide(id string, cmd engine.Command, key string, hash uint64) engine.Reply {
	u, known := f.users[id]
	if !known {
		u = &engine.User{ID: id}
	}
	d := engine.Decide(u, engine.Env{Now: f.now, Zone: zone, Policy: engine.DefaultPolicy(), Key: key, KeyHash: hash}, cmd)
	if len(d.Events) > 0 {
		f.writes++
	}
	f.users[id] = u
	if !u.Exists {
		delete(f.users, id)
	}
	for _, e := range d.Events {
		entry := engine.Describe(e)
		entry.Seq, entry.At = uint64(len(f.timeline[id])+1), f.now
		f.timeline[id] = append(f.timeline[id], entry)
	}
	return d.Reply
}

const rightCode = "123456"

func (f *fake) StartVerification(_ context.Context, id, phone, key string, hash uint64) (engine.Reply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	cmd := engine.StartVerification{Phone: phone}
	if f.trip != nil {
		if err := f.trip(id, cmd); err != nil {
			return nil, err
		}
	}
	return f.decide(id, cmd, key, hash), nil
}

func (f *fake) CheckVerification(_ context.Context, id, code, key string, hash uint64) (engine.Reply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, known := f.users[id]
	switch {
	case !known:
		return engine.Refusal{Kind: engine.RefusedNotFound, Code: engine.CodeUserNotFound, Detail: "no such user"}, nil
	case code != rightCode:
		return engine.Refusal{Kind: engine.RefusedInvalid, Code: "wrong_code", Field: "code", Detail: "this is not the code"}, nil
	}
	return f.decide(id, engine.ConfirmVerification{Phone: u.PendingPhone}, key, hash), nil
}

func (f *fake) Users(_ context.Context, after string, limit int) ([]engine.UserView, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []engine.UserView
	for _, id := range slices.Sorted(maps.Keys(f.users)) {
		if id <= after {
			continue
		}
		if len(out) == limit {
			return out, out[limit-1].ID, nil
		}
		out = append(out, f.decide(id, engine.GetUser{}, "", 0).(engine.UserReply).User)
	}
	return out, "", nil
}

func (f *fake) Timeline(_ context.Context, id string, after uint64, limit int) ([]engine.TimelineEntry, uint64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all, known := f.timeline[id]
	if !known {
		return nil, 0, false, nil
	}
	rest := all[min(after, uint64(len(all))):]
	if len(rest) <= limit {
		return rest, 0, true, nil
	}
	return rest[:limit], rest[limit-1].Seq, true, nil
}

func (f *fake) UserByPhone(_ context.Context, phone string) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trip != nil {
		if err := f.trip("", nil); err != nil {
			return "", false, err
		}
	}
	for id, u := range f.users {
		if u.Verified && u.Phone == phone {
			return id, true, nil
		}
	}
	return "", false, nil
}

func (f *fake) SetPaused(_ context.Context, paused bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = paused
	return nil
}

func (f *fake) Stats(context.Context) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return map[string]any{"users": len(f.users), "paused": f.paused}
}

func (f *fake) Backup(_ context.Context, w io.Writer) error {
	if f.backup != nil {
		return f.backup(w)
	}
	_, err := w.Write([]byte("store"))
	return err
}

func (f *fake) Role(key string) (httpapi.Role, bool) {
	role, ok := map[string]httpapi.Role{"admin-key": httpapi.RoleAdmin, "write-key": httpapi.RoleWrite, "read-key": httpapi.RoleRead}[key]
	return role, ok && f.notReady == ""
}

func (f *fake) Ready() (bool, string) { return f.notReady == "", f.notReady }

// hooks speaks Twilio's scheme as Twilio's documents tell it ("Webhooks
// security"), over forms without repeated names.
type hooks struct{ token string }

func (h hooks) sign(link string, body []byte) string {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	mac := hmac.New(sha1.New, []byte(h.token))
	fmt.Fprint(mac, link)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		fmt.Fprint(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (h hooks) Signed(link string, body []byte, signature string) bool {
	return hmac.Equal([]byte(h.sign(link, body)), []byte(signature))
}

func (h hooks) Status(body []byte) (engine.ReportDelivery, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return engine.ReportDelivery{}, err
	}
	statuses := map[string]engine.MessageStatus{"sent": engine.MessageSent, "delivered": engine.MessageDelivered}
	for _, name := range []string{"MessageSid", "MessageStatus"} {
		if form.Get(name) == "" {
			return engine.ReportDelivery{}, fmt.Errorf("%s is missing", name)
		}
	}
	return engine.ReportDelivery{SID: form.Get("MessageSid"), Status: statuses[form.Get("MessageStatus")]}, nil
}

func (h hooks) Inbound(body []byte) (string, engine.ReceiveText, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", engine.ReceiveText{}, err
	}
	if from := form.Get("From"); from != "" {
		return from, engine.ReceiveText{SID: form.Get("MessageSid"), Text: form.Get("Body")}, nil
	}
	return "", engine.ReceiveText{}, errors.New("From is missing")
}

func (h hooks) Answer(text string) (string, []byte) {
	if text != "" {
		text = "<Message>" + text + "</Message>"
	}
	return "text/xml", []byte("<Response>" + text + "</Response>")
}

func at(s string) engine.Millis {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}
