package sms

import "strings"

// linkAround returns where the link begins that a cut at end would break.
func linkAround(s string, end int) (int, bool) {
	if end <= 0 || end >= len(s) {
		return 0, false
	}
	from := strings.LastIndexByte(s[:end], ' ') + 1
	to := len(s)
	if i := strings.IndexByte(s[end:], ' '); i >= 0 {
		to = end + i
	}
	i, ok := link(s[from:to])
	return from + i, ok && from+i < end && end < to
}

// lastLink returns where the link begins that s ends with.
func lastLink(s string) (int, bool) {
	from := strings.LastIndexByte(s, ' ') + 1
	i, ok := link(s[from:])
	return from + i, ok
}

// link returns where in a word a link begins: a phone makes one of everything
// with a scheme, of "www.", and of a host with a path. It goes to the word's
// end. Taking too much for a link only makes a cut earlier.
func link(word string) (int, bool) {
	from := len(word)
	if scheme, _, found := strings.Cut(word, "://"); found {
		from = startOf(scheme, schemeByte)
	}
	if i := strings.IndexByte(word, '/'); i > 0 {
		if host := startOf(word[:i], hostByte); strings.Contains(strings.Trim(word[host:i], "."), ".") {
			from = min(from, host)
		}
	}
	for i := range min(from, len(word)-len("www.")+1) {
		if strings.EqualFold(word[i:i+len("www.")], "www.") {
			from = i
			break
		}
	}
	return from, from < len(word)
}

// startOf returns where the bytes of that sort begin that s ends with.
func startOf(s string, is func(byte) bool) int {
	i := len(s)
	for i > 0 && is(s[i-1]) {
		i--
	}
	return i
}

func schemeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func hostByte(c byte) bool {
	return schemeByte(c) || c >= '0' && c <= '9' || c == '.' || c == '-' || c == ':' || c == '@'
}
