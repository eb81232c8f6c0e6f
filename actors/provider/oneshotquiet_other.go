//go:build !unix

package provider

// quiet reports whether an idle connection is probably still open. Here it
// can't be looked at; no server hangs up within a second of its answer.
func (c *kept) quiet() bool { return c.idleSince+1000 > c.now() }
