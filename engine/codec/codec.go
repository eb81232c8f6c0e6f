package codec

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"carillon/engine"
)

// Version is the version of the payloads written. It is raised only when an
// older build must not read what a newer one wrote; a new field or a new kind
// of event is no reason.
const Version = 1

var (
	// ErrCorrupt says that the bytes are not a payload.
	ErrCorrupt = errors.New("codec: corrupt payload")
	// ErrNewer says that the bytes are sound and a newer build wrote them.
	ErrNewer = errors.New("codec: written by a newer build")
)

// The fields of a record.
const (
	recordFirst  protowire.Number = 1
	recordEvents protowire.Number = 2
)

// AppendRecord appends the payload of one journal record: the number of its
// first event, and the events.
func AppendRecord(dst []byte, first uint64, events []engine.Event) []byte {
	c := coder{buf: dst}
	unsigned(&c, recordFirst, &first)
	for _, e := range events {
		c.writeEvent(recordEvents, e)
	}
	return c.buf
}

// DecodeRecord reads a record's payload of any version up to Version. Nothing
// it returns refers to data.
func DecodeRecord(version uint8, data []byte) (first uint64, events []engine.Event, err error) {
	if err := Supported(version); err != nil {
		return 0, nil, err
	}
	c := coder{reading: true, version: version, buf: data, end: len(data)}
	c.advance(false)
	unsigned(&c, recordFirst, &first)
	for i := range list(&c, recordEvents, &events) {
		events[i] = c.readEvent(recordEvents)
	}
	if err := c.finish(); err != nil {
		return 0, nil, err
	}
	return first, events, nil
}

// AppendUser appends the payload of a snapshot.
func AppendUser(dst []byte, u *engine.User) []byte {
	c := coder{buf: dst}
	c.user(u)
	return c.buf
}

// DecodeUser reads a snapshot's payload of any version up to Version. Nothing
// it returns refers to data.
func DecodeUser(version uint8, data []byte) (*engine.User, error) {
	return decodeUser(version, data, "")
}

// decodeUser reads data; text is the same, if it is at hand as a string.
func decodeUser(version uint8, data []byte, text string) (*engine.User, error) {
	if err := Supported(version); err != nil {
		return nil, err
	}
	c := coder{reading: true, version: version, buf: data, text: text, end: len(data)}
	c.advance(false)
	u := new(engine.User)
	writeFirst(&u.UpdatedAt)
	c.user(u)
	if err := c.finish(); err != nil {
		return nil, err
	}
	// The id outlives an erasure. On its own it doesn't hold on to the text
	// of everything else that was in the snapshot.
	u.ID = strings.Clone(u.ID)
	return u, nil
}

// writeFirst writes to memory that nobody has touched. A page that is looked at
// before, by a check for nil or by the barrier of a marking collector when a pointer is
// written, becomes the kernel's page of zeros, and the first write then takes a copy of
// it and has every other processor forget the one before.
//
//go:noinline
func writeFirst(x *engine.Millis) { *x = 0 }

// DecodeUserIn is DecodeUser of bytes that the caller has as a text too, and
// never writes to: the strings that it returns are parts of that, and no copy
// is made.
func DecodeUserIn(version uint8, data []byte, text string) (*engine.User, error) {
	if len(text) != len(data) {
		return nil, fmt.Errorf("%w: %d bytes and a text of %d", ErrCorrupt, len(data), len(text))
	}
	return decodeUser(version, data, text)
}

// Supported says whether payloads of a version can be read.
func Supported(version uint8) error {
	switch {
	case version > Version:
		return fmt.Errorf("%w: payload version %d, this build knows up to %d", ErrNewer, version, Version)
	case version == 0:
		return fmt.Errorf("%w: payload version 0", ErrCorrupt)
	}
	return nil
}
