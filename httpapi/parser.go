package httpapi

import "sync"

// parser reads JSON in one pass: what it takes has the syntax of RFC 8259, and
// no more than maxDepth levels. What is wrong with the rest is checkSyntax's
// to say.
type parser struct {
	text []byte
	at   int
	open []member // of the objects and lists that have not ended yet
	room []member // of those that have: the caller's
}

// parsers keep their room: there is a text for every request.
var parsers = sync.Pool{New: func() any { return new(parser) }}

// whole reads a text that is one value and nothing else. Members are put
// behind those that are in room, which is returned with them.
func (p *parser) whole(text []byte, room []member) (v value, kept []member, ok bool) {
	p.text, p.at, p.room = text, 0, room
	v, ok = p.value(0)
	ok = ok && p.next() == 0 && p.at == len(text)
	kept = p.room
	p.text, p.room = nil, nil
	p.leave(0)
	if cap(p.open) > keepOpen {
		p.open = nil
	}
	return v, kept, ok
}

// keepOpen is how many members a parser keeps room for.
const keepOpen = 256

// leave forgets the open members from base on: a parser at rest holds nobody's
// text.
func (p *parser) leave(base int) {
	clear(p.open[base:])
	p.open = p.open[:base]
}

// value reads the next value; false if it is broken or nests too deeply.
func (p *parser) value(depth int) (value, bool) {
	if depth > maxDepth {
		return value{}, false
	}
	switch c := p.next(); c {
	case '{', '[':
		return p.nested(c, depth)
	case '"':
		return p.str()
	case 't':
		return p.word("true", isBool)
	case 'f':
		return p.word("false", isBool)
	case 'n':
		return p.word("null", isNull)
	}
	return p.number()
}

// next skips white space and returns the byte that it stops before, 0 at the
// end.
func (p *parser) next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// nested reads an object or a list.
func (p *parser) nested(open byte, depth int) (value, bool) {
	from, base := p.at, len(p.open)
	v := value{kind: isList}
	end := byte(']')
	if open == '{' {
		v.kind, end = isObject, '}'
	}
	p.at++
	for more := p.next() != end; more; {
		var m member
		var ok bool
		if v.kind == isObject {
			if m.name, ok = p.name(); !ok {
				return v, false
			}
		}
		if m.value, ok = p.value(depth + 1); !ok {
			return v, false
		}
		p.open = append(p.open, m)
		switch p.next() {
		case ',':
			p.at++
		case end:
			more = false
		default:
			return v, false
		}
	}
	p.at++
	v.raw, v.kids = p.text[from:p.at], p.keep(p.open[base:])
	p.leave(base)
	return v, true
}

// keep copies what an object or list holds to where it stays. When the room is
// full there is a new one; the values before it keep theirs.
func (p *parser) keep(kids []member) []member {
	if len(kids) == 0 {
		return nil
	}
	if cap(p.room)-len(p.room) < len(kids) {
		p.room = make([]member, 0, max(2*cap(p.room), len(kids), leastRoom))
	}
	from := len(p.room)
	p.room = append(p.room, kids...)
	return p.room[from:len(p.room):len(p.room)]
}

// leastRoom holds what a line of a batch with an event has.
const leastRoom = 16

// name reads a member's name and the colon behind it.
func (p *parser) name() ([]byte, bool) {
	if p.next() != '"' {
		return nil, false
	}
	name, ok := p.str()
	if !ok || p.next() != ':' {
		return nil, false
	}
	p.at++
	return name.bytes(), true
}

// str reads a string.
func (p *parser) str() (value, bool) {
	v := value{kind: isString}
	for at := p.at + 1; at < len(p.text); at++ {
		switch c := p.text[at]; {
		case c == '"':
			v.raw = p.text[p.at : at+1]
			p.at = at + 1
			return v, true
		case c == '\\':
			v.escaped = true
			length := escape(p.text[at+1:])
			if length == 0 {
				return v, false
			}
			at += length
		case c < ' ':
			return v, false
		}
	}
	return v, false
}

// escape returns how long an escape is behind its backslash; 0 if it is none.
func escape(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch text[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		const length = len("u0000")
		if len(text) < length {
			return 0
		}
		for _, c := range text[1:length] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return length
	}
	return 0
}

func (p *parser) word(word string, k kind) (value, bool) {
	from := p.at
	p.at += len(word)
	if p.at > len(p.text) || string(p.text[from:p.at]) != word {
		return value{}, false
	}
	return value{kind: k, raw: p.text[from:p.at]}, true
}

func (p *parser) number() (value, bool) {
	from := p.at
	p.skip('-')
	if !p.skip('0') && !p.digits() {
		return value{}, false
	}
	if p.skip('.') && !p.digits() {
		return value{}, false
	}
	if p.skip('e') || p.skip('E') {
		_ = p.skip('+') || p.skip('-')
		if !p.digits() {
			return value{}, false
		}
	}
	return value{kind: isNumber, raw: p.text[from:p.at]}, true
}

// skip goes behind one byte if it is the next.
func (p *parser) skip(c byte) bool {
	if p.at == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

// digits goes behind digits, of which there must be one.
func (p *parser) digits() bool {
	from := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > from
}
