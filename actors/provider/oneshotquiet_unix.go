//go:build unix

package provider

import "syscall"

// quiet reports whether an idle connection is still open. Nobody reads from it
// meanwhile, so the other side's goodbye lies there: to use it then would be to
// lose an answer. Anything else that lies there belongs to no request of ours.
func (c *kept) quiet() bool {
	if c.raw == nil {
		return false
	}
	err := c.raw.Read(func(fd uintptr) bool {
		_, c.lies = syscall.Read(int(fd), c.one[:])
		return true // whatever it was, there is no waiting for more
	})
	return err == nil && c.lies == syscall.EAGAIN //nolint:errorlint // a system call's own error
}
