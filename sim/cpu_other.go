//go:build !unix

package sim

import "time"

var began = time.Now()

// cpuSeconds is the time since the start, where nobody counts the processor's.
func cpuSeconds() float64 { return time.Since(began).Seconds() }
