package bench

import (
	"os"
	"syscall"
)

// dataSync flushes a file's content, and of what is known about it no more than is
// needed to find it again (fdatasync).
func dataSync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
