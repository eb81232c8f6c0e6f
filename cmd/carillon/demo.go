package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"carillon/sim/load"
)

type demoCmd struct {
	settings
	Seconds int `help:"Stop by itself after so many seconds; 0 runs until it is interrupted." default:"0"`
}

// Run is the demo: the real engine and its HTTP API, on loopback, with the
// sandbox carrier.
func (c *demoCmd) Run(ctx context.Context, p *program) error {
	s := &c.settings
	s.Carrier, s.OpenOutbox = "sandbox", true
	if s.LogLevel == "info" {
		s.LogLevel = "warn" // the texts are what there is to see
	}
	if err := onLoopback(s.Listen); err != nil {
		return err
	}
	s.Listen = freeAddress(s.Listen)
	dir, err := os.MkdirTemp("", "carillon-demo-")
	if err != nil {
		return storageError{err}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s.DataDir = dir
	if c.Seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.Seconds)*time.Second)
		defer cancel()
	}
	key, err := p.secret(secretAPIKey)
	if err != nil {
		return err
	}
	if key == "" {
		key = rand.Text()
	}
	var show sync.WaitGroup
	err = p.serve(ctx, s, key, func(v *service) {
		d := &demo{p: p, v: v, url: "http://" + s.Listen, key: key}
		show.Go(func() { d.run(ctx) })
	})
	show.Wait()
	return err
}

// onLoopback refuses to show the demo to others.
func onLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return bad("listen", "host:port")
	}
	if !loopback(host) {
		return usageError{errors.New("--listen (CARILLON_LISTEN): the demo listens on loopback only")}
	}
	return nil
}

// loopback reports whether nobody but this machine reaches a host.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// freeAddress returns the address, or one beside it that nobody listens on.
func freeAddress(address string) string {
	host, _, _ := net.SplitHostPort(address)
	for _, a := range []string{address, net.JoinHostPort(host, "0")} {
		if l, err := net.Listen("tcp", a); err == nil {
			free := l.Addr().String()
			_ = l.Close()
			return free
		}
	}
	return address
}

// demo is a client of the API like any other.
type demo struct {
	p    *program
	v    *service
	url  string
	key  string
	made int
}

// guest is somebody in the demo.
type guest struct {
	id, phone, zone string
	prefs           map[string]any
	note            string
}

var guests = []guest{
	{"ada", "+4915550100001", "Europe/Berlin", nil, "gets her reminders"},
	{"bob", "+15555550102", "America/New_York", map[string]any{"lead_times_minutes": []int{5, 15}}, "wants two of each"},
	{"chidi", "+2348025550103", "Africa/Lagos", map[string]any{"daily_limit": 2}, "two a day are enough"},
	{"dao", "+66815550104", "Asia/Bangkok", nil, "writes titles in Thai"},
	{"eve", "+15005550103", "America/Los_Angeles", nil, "her carrier's answer gets lost (magic number)"},
	{"finn", "+15005550111", "Europe/Helsinki", nil, "his phone is off at first (magic number)"},
	{"grace", "+447700900105", "Europe/London", map[string]any{"event_reminders_enabled": false}, "has reminders off: nothing is sent"},
	{"hugo", "+33639980106", "Europe/Paris", nil, "opted out: nothing is sent"},
}

var titles = []string{
	"Stand-up", "Dentist", "Design review – “final” round", "Pick up the kids", "Tax return due", "1:1 with Sam", "Yoga", "Call grandma",
}

func (d *demo) run(ctx context.Context) {
	d.say("carillon demo: texts go to the sandbox carrier, nobody is texted.\n")
	d.say("  see the outbox     %s/sandbox\n", d.url)
	d.say("  why was it sent?   curl -sH 'Authorization: Bearer %s' %s/v1/users/ada/timeline\n", d.key, d.url)
	d.say("  metrics            %s/metrics     API  %s/openapi.json\n\n", d.url, d.url)
	if err := d.invite(ctx); err != nil {
		d.say("demo: %v\n", err)
		return
	}
	d.say("Every few seconds somebody gets an event that is 15 minutes away. Ctrl-C ends the demo.\n\n")
	next := time.Now()
	var seen uint64
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ready, _ := d.v.node.Ready(); !ready {
			return
		}
		if time.Now().After(next) {
			next = time.Now().Add(3 * time.Second)
			if err := d.plan(ctx); err != nil {
				d.say("demo: %v\n", err)
			}
		}
		seen = d.show(seen)
	}
}

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.p.stdout, format, args...) }

// invite creates the people.
func (d *demo) invite(ctx context.Context) error {
	for _, g := range guests {
		prefs := map[string]any{"event_reminders_enabled": true, "quiet_hours": nil, "daily_limit": 100}
		maps.Copy(prefs, g.prefs)
		if err := d.call(ctx, http.MethodPut, "/v1/users/"+g.id, map[string]any{"timezone": g.zone, "preferences": prefs}); err != nil {
			return err
		}
		if err := d.call(ctx, http.MethodPost, "/v1/users/"+g.id+"/phone/attest", map[string]any{"phone_number": g.phone}); err != nil {
			return err
		}
		if g.id == "hugo" {
			if err := d.call(ctx, http.MethodPost, "/v1/users/hugo/opt-out", map[string]any{"reason": "demo"}); err != nil {
				return err
			}
		}
		d.say("  %-6s %-20s %-20s %s\n", g.id, g.phone, g.zone, g.note)
	}
	d.say("\n")
	return nil
}

// plan gives the next person an event whose reminder is due in some seconds.
func (d *demo) plan(ctx context.Context) error {
	g := guests[d.made%len(guests)]
	title := titles[(d.made+d.made/len(guests))%len(titles)]
	if g.id == "dao" {
		title = "ประชุมทีม"
	}
	start := time.Now().Add(15*time.Minute + 4*time.Second).UTC().Truncate(time.Second)
	d.made++
	return d.call(ctx, http.MethodPut, fmt.Sprintf("/v1/users/%s/events/demo-%d", g.id, d.made), map[string]any{
		"title": title, "start": start.Format(time.RFC3339), "end": start.Add(time.Hour).Format(time.RFC3339), "location": "Room 4.12",
	})
}

// show prints what the carrier got since.
func (d *demo) show(seen uint64) uint64 {
	entries := d.v.carrier.sandbox.Outbox(50)
	for _, e := range slices.Backward(entries) {
		if e.Seq <= seen {
			continue
		}
		seen = e.Seq
		if strings.HasPrefix(e.UserID, load.UserPrefix) {
			continue // somebody rehearses: there are thousands
		}
		at := time.UnixMilli(e.At).Format("15:04:05")
		d.say("  %s  → %-15s %-6s %q\n", at, e.To, e.UserID, e.Text)
	}
	return seen
}

// call sends a request and makes a problem document an error.
func (d *demo) call(ctx context.Context, method, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 300 {
		return nil
	}
	var problem struct{ Code, Detail string }
	_ = json.NewDecoder(resp.Body).Decode(&problem)
	return fmt.Errorf("%s %s: %s %s", method, path, strings.ToLower(resp.Status), problem.Code+" "+problem.Detail)
}
