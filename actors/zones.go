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
}

func newZones() *zones { return &zones{known: map[string]*time.Location{}} }

// Load returns an IANA zone. "Local" and the empty name are nobody's zone, and
// a name that only differs in case from one is not one (T1).
func (z *zones) Load(name string) (*time.Location, error) {
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
