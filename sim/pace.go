package sim

import "carillon/engine"

// pace is how much happens. A dense world has more changes in an hour than a
// calendar has in a day, so that they meet; an everyday one has many people
// for weeks, whose calendars change as calendars do: what needs time, long
// histories and full tables shows there.
type pace struct {
	name                                      string
	users, days                               int64
	calendar, profile, custom, consent, looks engine.Millis // in the mean
	replies                                   engine.Millis
	fresh                                     float64 // of a calendar's changes, a new event
	crashes                                   float64 // how many, against three a day or so of a dense world at 1
	often
}

// The paces. One seed in eight is dense; of those every second one is a corner
// (cornerOf).
const (
	PaceDense    = "dense"
	PaceEveryday = "everyday"
)

func drawPace(d draw, opt *Options) pace {
	name := opt.Pace
	if drawn := d.chance(0.125); name == "" {
		name = PaceEveryday
		switch {
		case opt.Users != 0 || opt.Days != 0:
			name = PaceDense
		case drawn:
			name = cornerOf(opt.Seed)
		}
	}
	p := pace{
		name: PaceDense, users: d.between(1, 12), days: d.between(2, 9), calendar: hour, profile: 20 * hour, custom: 11 * hour,
		consent: 30 * hour, looks: 5 * hour, replies: 9 * hour, fresh: 0.3, crashes: 3,
		often: usual,
	}
	if name == PaceEveryday {
		p = pace{
			name: PaceEveryday, users: d.between(20, 60), days: d.between(7, 28), calendar: 8 * hour, profile: 6 * day, custom: day,
			consent: 14 * day, looks: day, replies: 5 * day, fresh: 0.6, crashes: 0.2,
			often: usual,
		}
	}
	p.corner(name)
	if opt.Users != 0 {
		p.users = int64(opt.Users)
	}
	if opt.Days != 0 {
		p.days = int64(opt.Days)
	}
	return p
}
