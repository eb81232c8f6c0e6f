package preview

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"carillon/actors/provider/ics"
	"carillon/engine"
	"carillon/httpapi"
)

// maxLine is the longest line of an NDJSON file.
const maxLine = 1 << 20

// Read reads a calendar: an iCalendar file, or a calendar event of the API on
// each line, told apart by how they begin. What is left out comes back as a
// sentence each.
func Read(r io.Reader, opt ics.Options) ([]engine.CalendarEvent, []string, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(512)
	if err != nil && len(head) == 0 {
		return nil, nil, fmt.Errorf("preview: the calendar is empty: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("{")) {
		events, err := readLines(in)
		return events, nil, err
	}
	feed, err := ics.Read(in, opt)
	if err != nil {
		return nil, nil, err
	}
	var left []string
	for _, s := range feed.Skipped {
		left = append(left, strings.TrimPrefix(s.UID+": "+s.Why, ": "))
	}
	return feed.Events, left, nil
}

// readLines reads an event on each line.
func readLines(in io.Reader) ([]engine.CalendarEvent, error) {
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, maxLine)
	var out []engine.CalendarEvent
	for n := 1; sc.Scan(); n++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		e, err := httpapi.ParseEvent(sc.Bytes())
		if err != nil {
			return nil, fmt.Errorf("preview: line %d: %w", n, err)
		}
		out = append(out, e)
	}
	return out, sc.Err()
}
