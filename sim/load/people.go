package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxUsers is how many numbers there are for them.
const maxUsers = 10_000_000

// phonePrefix with seven digits is a number that is possible and belongs to
// nobody: +49 155 50 is not assigned.
const phonePrefix = "+4915550"

// zones are where the people live, in turn.
var zones = []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "America/Santiago", "UTC"}

// people are what a run is about. A reminder is a number from 0: user u has
// the reminders u, u + Users, u + 2 × Users, ….
type people struct {
	users, events int
	seed          uint64
	tag           string // in ids and titles: nobody else's texts are taken for ours
	shift         uint64 // where this run's numbers begin
	first         int64  // the earliest due instant, Unix milliseconds
	spread        int64  // milliseconds
}

func newPeople(c *Config) *people {
	return &people{
		users: c.Users, events: c.Events, seed: c.Seed, tag: strings.ToUpper(strconv.FormatUint(mix(c.Seed)>>32|1<<31, 36)),
		shift: mix(c.Seed+1) % maxUsers, spread: max(c.Spread.Milliseconds(), 1),
	}
}

// mix is splitmix64: a draw for each number.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (p *people) reminders() int { return p.users * p.events }

// UserPrefix begins the id of everybody that a rehearsal makes.
const UserPrefix = "load-"

func (p *people) id(user int) string { return fmt.Sprintf("%s%s-%07d", UserPrefix, p.tag, user) }

func (p *people) phone(user int) string {
	return fmt.Sprintf("%s%07d", phonePrefix, (uint64(user)+p.shift)%maxUsers)
}

// due is when a reminder has to leave, Unix milliseconds.
func (p *people) due(reminder int) int64 {
	return p.first + int64(mix(p.seed^uint64(reminder)<<20)%uint64(p.spread))
}

func (p *people) last() int64 { return p.first + p.spread }

// title makes every text of the run another one, and names the reminder.
func (p *people) title(reminder int) string { return fmt.Sprintf("Rehearsal %s-%08d", p.tag, reminder) }

// reminderOf reads the reminder's number out of a text.
func (p *people) reminderOf(text string) (int, bool) {
	_, rest, found := strings.Cut(text, p.tag+"-")
	if !found || len(rest) < 8 {
		return 0, false
	}
	n, err := strconv.Atoi(rest[:8])
	return n, err == nil && n >= 0 && n < p.reminders()
}

// userLines are the requests that make a user who wants reminders.
func (p *people) userLines(user int) []string {
	id := p.id(user)
	return []string{
		fmt.Sprintf(`{"method":"PUT","path":"/v1/users/%s","body":{"timezone":%q,"preferences":{"event_reminders_enabled":true,"lead_times_minutes":[%d],"quiet_hours":null,"daily_limit":100}}}`,
			id, zones[user%len(zones)], leadMinutes),
		fmt.Sprintf(`{"method":"POST","path":"/v1/users/%s/phone/attest","body":{"phone_number":%q}}`, id, p.phone(user)),
	}
}

// eventLine is the request that puts the event of a reminder.
func (p *people) eventLine(reminder int) string {
	start := time.UnixMilli(p.due(reminder)).Add(leadMinutes * time.Minute).UTC()
	return fmt.Sprintf(`{"method":"PUT","path":"/v1/users/%s/events/e%d","body":{"title":%q,"start":%q,"end":%q,"location":"Room 4.12"}}`,
		p.id(reminder%p.users), reminder/p.users, p.title(reminder), stamp(start), stamp(start.Add(30*time.Minute)))
}

func (p *people) eraseLine(user int) string {
	return fmt.Sprintf(`{"method":"DELETE","path":"/v1/users/%s"}`, p.id(user))
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") }
