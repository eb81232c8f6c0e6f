package actors

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// zones keeps the time zones in use: time.LoadLocation parses anew each time.
type zones struct {
	mu    sync.RWMutex
	known map[string]*time.Location

	// Load is load, bound once: each decision is handed it.
	Load func(name string) (*time.Location, error)
}

func newZones() *zones {
	z := &zones{known: map[string]*time.Location{}}
	z.Load = z.load
	return z
}

// load returns an IANA zone. "Local" and the empty name are nobody's zone, and
// a name that only differs in case from one is not one (T1).
func (z *zones) load(name string) (*time.Location, error) {
	z.mu.RLock()
	loc := z.known[name]
	z.mu.RUnlock()
	if loc != nil {
		return loc, nil
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("actors: %q is not an IANA time zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("actors: %q is not an IANA time zone", name)
	}
	z.mu.Lock()
	z.known[strings.Clone(name)] = loc
	z.mu.Unlock()
	return loc, nil
}
