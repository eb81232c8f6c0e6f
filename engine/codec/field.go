package codec

import "google.golang.org/protobuf/encoding/protowire"

// The functions of this file write or read one field. Zero values take no
// bytes; what is not on the wire stays zero.

// signed codes instants, dates and counts as zigzag varints: sint32, sint64.
func signed[T ~int | ~int16 | ~int32 | ~int64](c *coder, n protowire.Number, x *T) {
	if !c.reading {
		if *x != 0 {
			c.putVarint(n, protowire.EncodeZigZag(int64(*x)))
		}
		return
	}
	if c.at(n, protowire.VarintType) {
		v := protowire.DecodeZigZag(c.varint())
		if *x = T(v); int64(*x) != v {
			c.fail("number out of range")
		}
		c.advance(false)
	}
}

// unsigned codes enumerations and sequence numbers: uint32, uint64.
func unsigned[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, n protowire.Number, x *T) {
	if !c.reading {
		if *x != 0 {
			c.putVarint(n, uint64(*x))
		}
		return
	}
	if c.at(n, protowire.VarintType) {
		v := c.varint()
		if *x = T(v); uint64(*x) != v {
			c.fail("number out of range")
		}
		c.advance(false)
	}
}

func boolean(c *coder, n protowire.Number, x *bool) {
	if !c.reading {
		if *x {
			c.putVarint(n, 1)
		}
		return
	}
	if c.at(n, protowire.VarintType) {
		v := c.varint()
		if *x = v == 1; v > 1 {
			c.fail("neither true nor false")
		}
		c.advance(false)
	}
}

// fixed codes hashes, which as varints would mostly take ten bytes: fixed64.
func fixed(c *coder, n protowire.Number, x *uint64) {
	if !c.reading {
		if *x != 0 {
			c.buf = protowire.AppendFixed64(appendTag(c.buf, n, protowire.Fixed64Type), *x)
		}
		return
	}
	if c.at(n, protowire.Fixed64Type) {
		v, size := protowire.ConsumeFixed64(c.buf[c.pos:c.end])
		if size < 0 {
			c.fail(protowire.ParseError(size).Error())
			return
		}
		*x = v
		c.pos += size
		c.advance(false)
	}
}

func text(c *coder, n protowire.Number, x *string) {
	if !c.reading {
		if *x != "" {
			c.putString(n, *x)
		}
		return
	}
	if c.at(n, protowire.BytesType) {
		*x = c.string()
		c.advance(false)
	}
}

// texts codes a row of strings, empty ones included.
func texts(c *coder, n protowire.Number, x *[]string) {
	for i := range list(c, n, x) {
		if !c.reading {
			c.putString(n, (*x)[i])
		} else if c.at(n, protowire.BytesType) {
			(*x)[i] = c.string()
			c.advance(true)
		}
	}
}

// packed codes a row of numbers in one field, as packed sint32 or sint64.
func packed[T ~int32 | ~int64](c *coder, n protowire.Number, x *[]T) {
	if c.reading {
		if c.at(n, protowire.BytesType) {
			readPacked(c, x)
			c.advance(false)
		}
		return
	}
	c.begin(n)
	for _, v := range *x {
		c.buf = appendVarint(c.buf, protowire.EncodeZigZag(int64(v)))
	}
	c.close()
}

func readPacked[T ~int32 | ~int64](c *coder, x *[]T) {
	size := c.length()
	end, count := c.pos+size, 0
	for _, b := range c.buf[c.pos:end] {
		if b < 0x80 { // the last byte of a number
			count++
		}
	}
	if count > 0 {
		*x = make([]T, 0, count)
	}
	for c.pos < end && c.err == nil {
		v := protowire.DecodeZigZag(c.varint())
		if *x = append(*x, T(v)); int64(T(v)) != v {
			c.fail("number out of range")
		}
	}
	if c.pos > end {
		c.fail("number beyond its end")
	}
}

// list returns the length of a row of strings or messages. Reading, it makes
// the row first, in one piece.
func list[T any](c *coder, n protowire.Number, x *[]T) int {
	if c.reading {
		if k := c.count(n); k > 0 {
			*x = make([]T, k)
		}
	}
	return len(*x)
}
