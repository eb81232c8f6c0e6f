package sms_test

import (
	"testing"

	"pgregory.net/rapid"

	"carillon/engine/sms"
)

func TestToGSM7(t *testing.T) {
	for _, test := range []struct {
		text string
		want string
		ok   bool
	}{
		{"Stand-up", "Stand-up", true},
		{"“Quoted” – it’s…", `"Quoted" - it's...`, true},
		{"«Réunion» à 9\u00a0h", `"Réunion" à 9 h`, true},
		{"Ｒｏｏｍ　４　（ｂａｃｋ）｀～", "Room 4 (back)'~", true},
		{"`code`", "'code'", true},
		{"½ day, 1½ days, ¾\u00a0h", "1/2 day, 1 1/2 days, 3/4 h", true},
		{"m², 10², x³", "m2, 10^2, x3", true},
		{"A → B ≤ C × 2 ÷ 3 −4", "A -> B <= C x 2 / 3 -4", true},
		{"oﬃce™ №\u00a05 ©", "office(TM) No. 5 (c)", true},
		{"soft\u00adhyphen", "softhyphen", true},
		// Letters are not given up: the name would be another.
		{"François’ Çay", "François' Çay", false},
		{"会議…", "会議...", false},
		{"Lunch 😀", "Lunch 😀", false},
		{"", "", true},
	} {
		got, ok := sms.ToGSM7(test.text)
		if got != test.want || ok != test.ok {
			t.Errorf("%q: %q %t, want %q %t", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestTransliterateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { transliterateHolds(t, drawText(t)) })
}

// transliterateHolds: what is GSM-7 stays as it is, what comes out as GSM-7 is
// measured so, and there is nothing left to do the second time.
func transliterateHolds(t fataler, s string) {
	t.Helper()
	got, ok := sms.ToGSM7(s)
	if ok != (sms.Measure(got).Encoding == sms.GSM7) {
		t.Fatalf("%q becomes %q, GSM-7 %t", s, got, ok)
	}
	if sms.Measure(s).Encoding == sms.GSM7 && got != s {
		t.Fatalf("%q was GSM-7 and became %q", s, got)
	}
	once := sms.Transliterate(s)
	if again := sms.Transliterate(once); again != once {
		t.Fatalf("%q becomes %q and then %q", s, once, again)
	}
}
