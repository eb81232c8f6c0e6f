package sim

import "slices"

// Shrink looks for a smaller run in which the same checker speaks up: without
// fault classes, in fewer days, with fewer people. Another number of people or
// days is another world, so there a few seeds are tried. It plays at most
// tries runs.
func Shrink(r *Result, tries int) Options {
	if len(r.Violations) == 0 {
		return r.opt
	}
	s := &shrinking{best: r.opt, checker: r.Violations[0].Checker, tries: tries}
	s.best.Explain = nil
	if isCorner(r.Pace) {
		s.best.Pace = r.Pace
	}
	s.drop(sizes(len(classNames)), r)
	for _, smaller := range []func(*Options) bool{
		func(o *Options) bool { o.Users = (s.users + 1) / 2; return o.Users < s.users },
		func(o *Options) bool { o.Days = (s.days + 1) / 2; return o.Days < s.days },
		func(o *Options) bool { o.Users = s.users - 1; return o.Users > 0 },
		func(o *Options) bool { o.Days = s.days - 1; return o.Days > 0 },
	} {
		s.users, s.days = s.size(r)
		for s.smaller(smaller) {
			s.users, s.days = s.size(r)
		}
	}
	return s.best
}

type shrinking struct {
	best        Options
	checker     string
	tries       int
	users, days int
}

// holds plays a run, and keeps it if it fails in the same way.
func (s *shrinking) holds(opt Options) bool {
	if s.tries == 0 {
		return false
	}
	s.tries--
	r, err := Run(opt)
	if err != nil || !slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Checker == s.checker }) {
		return false
	}
	s.best = opt
	return true
}

// drop switches classes off: many at a time, then fewer. Those that never came
// cost nothing to drop.
func (s *shrinking) drop(chunks []int, r *Result) {
	var idle, came []Class
	for c := range classCount {
		switch {
		case slices.Contains(s.best.Without, c):
		case r.Faults[c.String()] == 0:
			idle = append(idle, c)
		default:
			came = append(came, c)
		}
	}
	if len(idle) > 0 {
		s.without(idle)
	}
	for _, n := range chunks {
		for i := 0; i < len(came); {
			end := min(i+n, len(came))
			if s.without(came[i:end]) {
				came = slices.Delete(came, i, end)
			} else {
				i = end
			}
		}
	}
}

func (s *shrinking) without(classes []Class) bool {
	opt := s.best
	opt.Without = slices.Concat(opt.Without, classes)
	return s.holds(opt)
}

// sizes halves.
func sizes(n int) (out []int) {
	for n /= 2; n > 0; n /= 2 {
		out = append(out, n)
	}
	return out
}

// size is how large the best run is, as far as it is known.
func (s *shrinking) size(r *Result) (users, days int) {
	users, days = s.best.Users, s.best.Days
	if users == 0 {
		users = r.Users
	}
	if days == 0 {
		days = int(r.Days) + 1
	}
	return users, days
}

// smaller tries a smaller world, with a few seeds.
func (s *shrinking) smaller(less func(*Options) bool) bool {
	opt := s.best
	if opt.Pace == "" {
		opt.Pace = PaceDense
	}
	if !less(&opt) {
		return false
	}
	for n := range uint64(6) {
		opt.Seed = s.best.Seed + n
		if s.holds(opt) {
			return true
		}
	}
	return false
}
