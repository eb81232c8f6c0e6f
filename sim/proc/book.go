//go:build linux

package proc

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Kinds of an entry.
const (
	accepted = "accepted" // the carrier took a text
	moved    = "moved"    // and knows more of it now
)

// entry is a line of the carrier's book.
type entry struct {
	At     int64  `json:"at"` // Unix milliseconds
	Kind   string `json:"kind"`
	SID    string `json:"sid"`
	To     string `json:"to,omitempty"`
	Body   string `json:"body,omitempty"`
	Status string `json:"status,omitempty"`
	Code   int    `json:"code,omitempty"`
}

// book is the truth: a file that only grows, and that is flushed before
// anybody hears of what is in it.
type book struct {
	mu sync.Mutex
	f  *os.File
}

func openBook(path string) (*book, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &book{f: f}, nil
}

// note writes an entry. A book that can't be written is no truth: the carrier
// ends.
func (b *book) note(e entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.At = time.Now().UnixMilli()
	text, err := json.Marshal(e)
	if err == nil {
		_, err = b.f.Write(append(text, '\n'))
	}
	if err == nil {
		err = b.f.Sync()
	}
	if err != nil {
		panic(err)
	}
}

// readBook returns all entries in their order.
func readBook(path string) (all []entry, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var e entry
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, len(all)+1, err)
		}
		all = append(all, e)
	}
	return all, sc.Err()
}
