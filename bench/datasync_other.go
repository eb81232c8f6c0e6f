//go:build !linux

package bench

import "os"

// dataSync flushes a file.
func dataSync(f *os.File) error { return f.Sync() }
