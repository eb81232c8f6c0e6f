package load

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Config of Run. URL and Key are needed; the rest has defaults.
type Config struct {
	URL string // of the engine
	Key string // with the role admin: numbers are attested

	Users  int           // default: 100
	Events int           // per user; default: 1, at most 100
	Spread time.Duration // the reminders fall due within it; default: 1 min
	// LeadIn is the time between the first event that is put and the first
	// reminder that is due. 0 takes one and a half times what the rate at which
	// people were taken lets expect.
	LeadIn time.Duration
	// Grace is how long a reminder may be late before it is called missing.
	// Default: 30 s.
	Grace   time.Duration
	Callers int    // calls at a time; default: 8
	Lines   int    // of a batch; default: 500
	Seed    uint64 // draws when each reminder is due, and the name of the run
	Keep    bool   // the people stay when the run is over

	// Stub is the carrier that the engine was pointed at; nil measures by the
	// outbox of the engine's sandbox.
	Stub *Stub
	// Progress is told how far each phase is; nil: nobody looks.
	Progress func(phase string, done, total int)
	// Command and Version are for the report.
	Command, Version string
}

// leadMinutes is the lead time of everybody; events begin as long after their
// reminder is due.
const leadMinutes = 15

func (c *Config) setDefaults() {
	for field, value := range map[*int]int{&c.Users: 100, &c.Events: 1, &c.Callers: 8, &c.Lines: 500} {
		if *field == 0 {
			*field = value
		}
	}
	if c.Spread == 0 {
		c.Spread = time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Second
	}
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
}

func (c *Config) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("load: %q is not the URL of an engine, such as http://127.0.0.1:8080", c.URL)
	case c.Key == "":
		return errors.New("load: an API key with the role admin is needed")
	case c.Users < 1 || c.Users > maxUsers:
		return fmt.Errorf("load: 1 to %d users", maxUsers)
	case c.Events < 1 || c.Events > 100:
		return errors.New("load: 1 to 100 events per user, as many as a day may have reminders")
	case c.Spread < 0 || c.LeadIn < 0 || c.Grace < 0:
		return errors.New("load: durations are not negative")
	case c.Callers < 1 || c.Lines < 1 || c.Lines > 1000:
		return errors.New("load: at least one caller, and 1 to 1000 lines a batch")
	}
	return nil
}
