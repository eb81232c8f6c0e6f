package sms_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carillon/engine/sms"
)

// expectation is a line of testdata/segments.jsonl: what Twilio's own
// calculator says of a text. testdata/expect.mjs wrote them.
type expectation struct {
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
	Segments int    `json:"segments"`
	Units    int    `json:"units"`
}

func expectations(tb testing.TB) []expectation {
	tb.Helper()
	f, err := os.Open("testdata/segments.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []expectation
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e expectation
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			tb.Fatalf("line %d: %v", len(all)+1, err)
		}
		all = append(all, e)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

// TestMeasureAsTwilio compares every text with Twilio's calculator (X5).
func TestMeasureAsTwilio(t *testing.T) {
	all := expectations(t)
	if len(all) < 4000 {
		t.Fatalf("only %d expectations", len(all))
	}
	for i, want := range all {
		got := sms.Measure(want.Text)
		if want.Text == "" {
			want.Segments = 0 // nothing is sent, so nothing is billed; Twilio's page shows 1
		}
		if got.Encoding.String() != want.Encoding || got.Segments != want.Segments || got.Units != want.Units {
			t.Errorf("line %d, %q: %s, %d segments, %d units; Twilio has %s, %d, %d",
				i+1, want.Text, got.Encoding, got.Segments, got.Units, want.Encoding, want.Segments, want.Units)
		}
	}
}

// TestMeasureAtTheEdges names the sizes that people know, and the pairs that
// straddle a segment's end.
func TestMeasureAtTheEdges(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		want sms.Size
	}{
		{"one full segment", strings.Repeat("a", 160), sms.Size{Encoding: sms.GSM7, Units: 160, Segments: 1}},
		{"one more", strings.Repeat("a", 161), sms.Size{Encoding: sms.GSM7, Units: 161, Segments: 2}},
		{"two full segments", strings.Repeat("a", 306), sms.Size{Encoding: sms.GSM7, Units: 306, Segments: 2}},
		{"an escape does not straddle", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), sms.Size{Encoding: sms.GSM7, Units: 306, Segments: 3}},
		{"one full UCS-2 segment", strings.Repeat("я", 70), sms.Size{Encoding: sms.UCS2, Units: 70, Segments: 1}},
		{"one more", strings.Repeat("я", 71), sms.Size{Encoding: sms.UCS2, Units: 71, Segments: 2}},
		{"a pair does not straddle", strings.Repeat("я", 66) + "😀" + strings.Repeat("я", 66), sms.Size{Encoding: sms.UCS2, Units: 134, Segments: 3}},
		{"nor does a family", strings.Repeat("я", 60) + "👨‍👩‍👧" + strings.Repeat("я", 66), sms.Size{Encoding: sms.UCS2, Units: 134, Segments: 3}},
		{"what no segment holds is split", "a" + strings.Repeat("\u0301", 140), sms.Size{Encoding: sms.UCS2, Units: 141, Segments: 3}},
		{"one foreign letter turns all of it", strings.Repeat("a", 70) + "ç", sms.Size{Encoding: sms.UCS2, Units: 71, Segments: 2}},
	} {
		if got := sms.Measure(test.text); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestMeasureAllocatesNothing(t *testing.T) {
	text := strings.Repeat("Grüße € ", 40) + "😀"
	if n := testing.AllocsPerRun(100, func() { sms.Measure(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCapacity(t *testing.T) {
	for _, test := range []struct {
		encoding sms.Encoding
		segments int
		want     int
	}{
		{sms.GSM7, -1, 0},
		{sms.GSM7, 0, 0},
		{sms.GSM7, 1, 160},
		{sms.GSM7, 3, 459},
		{sms.UCS2, 1, 70},
		{sms.UCS2, 2, 134},
	} {
		if got := sms.Capacity(test.encoding, test.segments); got != test.want {
			t.Errorf("Capacity(%s, %d) = %d, want %d", test.encoding, test.segments, got, test.want)
		}
	}
}

// TestMeasureLaws holds for any text: its units fit its segments.
func TestMeasureLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t)
		s := sms.Measure(text)
		if s.Units > sms.Capacity(s.Encoding, s.Segments) {
			t.Fatalf("%q: %+v is more than its segments hold", text, s)
		}
		if s.Segments == 1 && s.Units == 0 || s.Segments == 0 && s.Units > 0 {
			t.Fatalf("%q: %+v", text, s)
		}
	})
}
