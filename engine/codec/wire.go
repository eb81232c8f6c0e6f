package codec

import "google.golang.org/protobuf/encoding/protowire"

// at reports whether the next field is n, and refuses one of another type.
func (c *coder) at(n protowire.Number, t protowire.Type) bool {
	if c.number > n {
		return false
	}
	return c.number == n && c.typ == t || c.find(n, t)
}

func (c *coder) find(n protowire.Number, t protowire.Type) bool {
	c.skipBelow(n)
	if c.number == n && c.typ != t {
		c.fail("another wire type")
	}
	return c.number == n
}

// skipBelow passes over fields of a newer build.
func (c *coder) skipBelow(n protowire.Number) {
	for c.number < n {
		size := protowire.ConsumeFieldValue(c.number, c.typ, c.buf[c.pos:c.end])
		if size < 0 {
			c.fail(protowire.ParseError(size).Error())
			return
		}
		c.pos += size
		c.advance(true)
	}
}

// advance reads the next tag. Fields ascend; the number of the last one comes
// again only in a row. That makes one form of every value, and shows damage
// that would otherwise pass for an unknown field.
func (c *coder) advance(again bool) {
	last := c.number
	if c.err != nil || c.pos >= c.end {
		c.number = noField
		return
	}
	var v uint64
	if b := c.buf[c.pos]; b < 0x80 { // as varint does; most tags take one byte
		v = uint64(b)
		c.pos++
	} else {
		v = c.varint()
	}
	n, t := protowire.DecodeTag(v)
	switch {
	case c.err != nil:
	case !n.IsValid():
		c.fail("no such field number")
	case n < last || n == last && !again:
		c.fail("field out of order")
	default:
		c.number, c.typ = n, t
	}
}

func (c *coder) varint() uint64 {
	rest := c.buf[c.pos:c.end]
	v := uint64(0)
	for i := 0; i < len(rest) && i < 9; i++ { // what takes ten bytes is left to protowire
		b := rest[i]
		if v |= uint64(b&0x7f) << (7 * i); b < 0x80 {
			c.pos += i + 1
			return v
		}
	}
	return c.longVarint(rest)
}

func (c *coder) longVarint(rest []byte) uint64 {
	v, size := protowire.ConsumeVarint(rest)
	if size < 0 {
		c.fail(protowire.ParseError(size).Error())
		return 0
	}
	c.pos += size
	return v
}

// length reads a length and checks it against what is there.
func (c *coder) length() int {
	v := c.varint()
	if v > uint64(c.end-c.pos) {
		c.fail("length beyond the end")
		return 0
	}
	return int(v)
}

func (c *coder) putVarint(n protowire.Number, v uint64) {
	c.buf = appendVarint(appendTag(c.buf, n, protowire.VarintType), v)
}

func (c *coder) putString(n protowire.Number, s string) {
	if tag := uint64(n)<<3 | uint64(protowire.BytesType); tag < 0x80 && len(s) < 0x80 { // as most are
		c.buf = append(append(c.buf, byte(tag), byte(len(s))), s...)
		return
	}
	c.buf = appendVarint(appendTag(c.buf, n, protowire.BytesType), uint64(len(s)))
	c.buf = append(c.buf, s...)
}

// appendTag and appendVarint do what protowire's do, and are inlined: without
// them, calls were half of an encoding.
func appendTag(b []byte, n protowire.Number, t protowire.Type) []byte {
	return appendVarint(b, uint64(n)<<3|uint64(t))
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// string reads a string. The first one copies the payload, the others are
// parts of that copy: one allocation for all of them, and one object for the
// garbage collector to visit where a user had twenty.
func (c *coder) string() string {
	size := c.length()
	if size == 0 {
		return ""
	}
	if c.text == "" {
		c.text = string(c.buf)
	}
	c.pos += size
	return c.text[c.pos-size : c.pos]
}

// count returns how many fields n of wire type bytes come in a row. Each takes
// two bytes at least, which bounds what a damaged payload makes us allocate.
func (c *coder) count(n protowire.Number) (k int) {
	if !c.at(n, protowire.BytesType) {
		return 0
	}
	tag := protowire.EncodeTag(n, protowire.BytesType)
	for rest := c.buf[c.pos:c.end]; ; {
		k++
		_, size := protowire.ConsumeBytes(rest)
		if size < 0 {
			return k // reading it will say what is wrong
		}
		v, tagSize := protowire.ConsumeVarint(rest[size:])
		if tagSize < 0 || v != tag {
			return k
		}
		rest = rest[size+tagSize:]
	}
}
