package codec

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// coder walks a value and its bytes side by side. Each struct has one method
// that names its fields in ascending order of their numbers; the same method
// writes and reads, so the two directions can't drift apart.
//
// Reading is a merge: the next field on the wire is held in number, and a
// field that is asked for is either that one or absent. Fields with numbers
// that nobody asks for are a newer build's and are skipped. The first error
// sticks: it ends every open message, and from then on nothing is read.
//
// A coder stays on its caller's stack. So it is never put into an interface,
// and no method is called through a function value.
type coder struct {
	reading bool
	version uint8 // of the payload that is read
	typ     protowire.Type
	number  protowire.Number // reading: the field that pos is at, noField after the last
	buf     []byte           // writing: the output; reading: the payload, borrowed
	text    string           // reading: the payload or a copy of it, which all decoded strings share
	pos     int              // reading: behind the tag of number
	end     int              // reading: of the innermost message
	err     error
	depth   int
	frames  [maxDepth]frame
}

// frame is an open message.
type frame struct {
	number protowire.Number
	keep   bool // it is written even when it is empty, and may come again
	// Writing, pos is where the content starts, behind one byte for its
	// length. Reading, it is the end of the message around.
	pos int
}

const (
	maxDepth = 4 // the deepest so far: event, its kind, preferences, quiet
	noField  = protowire.Number(math.MaxInt32)
)

// begin opens a message that stands in a field by itself and is left out when
// it is empty. If it returns false, there is none to read.
func (c *coder) begin(n protowire.Number) bool { return c.open(n, false) }

// item opens one of a row of messages, or one whose presence says something.
func (c *coder) item(n protowire.Number) bool { return c.open(n, true) }

func (c *coder) open(n protowire.Number, keep bool) bool {
	if !c.reading {
		c.buf = append(appendTag(c.buf, n, protowire.BytesType), 0)
		c.push(frame{number: n, keep: keep, pos: len(c.buf)})
		return true
	}
	if !c.at(n, protowire.BytesType) {
		return false
	}
	size := c.length()
	if c.err != nil {
		return false
	}
	c.push(frame{number: n, keep: keep, pos: c.end})
	c.end, c.number = c.pos+size, 0
	c.advance(false)
	return true
}

func (c *coder) push(f frame) {
	c.frames[c.depth] = f
	c.depth++
}

// close ends the message that begin or item opened.
func (c *coder) close() {
	c.depth--
	f := c.frames[c.depth]
	if c.reading {
		c.skipBelow(noField)
		if c.err == nil {
			c.end, c.number = f.pos, f.number
			c.advance(f.keep)
		}
		return
	}
	size := len(c.buf) - f.pos
	switch {
	case size == 0 && !f.keep:
		c.buf = c.buf[:f.pos-1-protowire.SizeTag(f.number)]
	case size < 0x80:
		c.buf[f.pos-1] = byte(size)
	default:
		c.shift(f.pos, size)
	}
}

// shift makes room for a length of more than one byte. Most messages are
// short, and moving the others is cheaper than measuring all beforehand.
func (c *coder) shift(start, size int) {
	more := 0
	for v := size; v >= 0x80; v >>= 7 {
		c.buf = append(c.buf, 0)
		more++
	}
	copy(c.buf[start+more:], c.buf[start:start+size])
	appendVarint(c.buf[:start-1], uint64(size))
}

// fail records the first error and ends every open message.
func (c *coder) fail(what string) {
	c.failWith(fmt.Errorf("%w: %s at byte %d", ErrCorrupt, what, c.pos))
}

func (c *coder) failWith(err error) {
	if c.err == nil {
		c.err = err
	}
	c.number = noField
}

// finish reads what is left of the payload and returns the first error.
func (c *coder) finish() error {
	c.skipBelow(noField)
	return c.err
}
