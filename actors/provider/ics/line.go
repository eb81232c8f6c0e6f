package ics

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a feed.
const (
	maxBytes  = 10 << 20
	maxLine   = 256 << 10 // unfolded
	maxParams = 32
	maxDepth  = 8
	maxEvents = 20_000
)

var (
	errTooLarge = fmt.Errorf("ics: the feed is larger than %d MiB", maxBytes>>20)
	errNoFeed   = errors.New("ics: this is no iCalendar file: it does not begin with BEGIN:VCALENDAR")
)

// property is one content line.
type property struct {
	name   string // upper case
	params []param
	value  string
}

type param struct{ name, value string }

// param returns a parameter's value, empty if it has none.
func (p *property) param(name string) string {
	for _, q := range p.params {
		if q.name == name {
			return q.value
		}
	}
	return ""
}

// lines reads content lines: unfolded, with any line end, and tolerant of what
// calendars in the wild do. A fold may cut a character in two.
type lines struct {
	in   *bufio.Reader
	next []byte // read ahead: the line that was not a continuation
	done bool
	left int64
}

func newLines(r io.Reader) *lines {
	l := &lines{in: bufio.NewReader(r), left: maxBytes}
	if bom, err := l.in.Peek(3); err == nil && bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = l.in.Discard(3)
	}
	return l
}

// raw reads one line of the file, without its end. Of one that is too long the
// rest is dropped.
func (l *lines) raw() ([]byte, error) {
	var out []byte
	for {
		part, err := l.in.ReadSlice('\n')
		if l.left -= int64(len(part)); l.left < 0 {
			return nil, errTooLarge
		}
		if len(out) <= maxLine {
			out = append(out, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && len(out) == 0:
			return nil, err
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		return bytes.TrimRight(out, "\r\n"), nil
	}
}

// read returns the next unfolded line. A line that is too long comes cut, and
// is read as what it then is.
func (l *lines) read() (string, error) {
	if l.done {
		return "", io.EOF
	}
	line := l.next
	l.next = nil
	for {
		more, err := l.raw()
		switch {
		case errors.Is(err, io.EOF):
			l.done = true
			if line == nil {
				return "", io.EOF
			}
			return string(line), nil
		case err != nil:
			return "", err
		case line != nil && len(more) > 0 && (more[0] == ' ' || more[0] == '\t'):
			if len(line)+len(more) <= maxLine {
				line = append(line, more[1:]...)
			}
		case line == nil:
			line = more
		default:
			l.next = more
			return string(line), nil
		}
	}
}

// parseLine reads a content line: NAME;PARAM=value;PARAM="quoted":value.
func parseLine(line string) (property, bool) {
	i := strings.IndexAny(line, ":;")
	if i <= 0 || !isName(line[:i]) {
		return property{}, false
	}
	p := property{name: strings.ToUpper(line[:i])}
	for line[i] == ';' {
		rest := line[i+1:]
		eq := strings.IndexByte(rest, '=')
		if eq < 0 || len(p.params) == maxParams {
			return property{}, false
		}
		value, n, ok := paramValue(rest[eq+1:])
		if !ok {
			return property{}, false
		}
		p.params = append(p.params, param{strings.ToUpper(rest[:eq]), value})
		i += 1 + eq + 1 + n
	}
	p.value = line[i+1:]
	return p, true
}

// paramValue reads up to the ; or : that ends it, and returns its length as
// written.
func paramValue(s string) (value string, n int, ok bool) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case !quoted && (s[i] == ';' || s[i] == ':'):
			return strings.ReplaceAll(s[:i], `"`, ""), i, true
		}
	}
	return "", 0, false
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// unescape reads a TEXT value.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n', 'N':
			out.WriteByte('\n')
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}
