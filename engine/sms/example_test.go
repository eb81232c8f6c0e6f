package sms_test

import (
	"fmt"
	"strings"

	"carillon/engine/sms"
)

func ExampleMeasure() {
	for _, text := range []string{"Stand-up in 15 mins", "Grüße für 5 €", "Обед через 15 мин", strings.Repeat("a", 161)} {
		s := sms.Measure(text)
		fmt.Printf("%s, %d units, %d segment(s)\n", s.Encoding, s.Units, s.Segments)
	}
	// Output:
	// GSM-7, 19 units, 1 segment(s)
	// GSM-7, 14 units, 1 segment(s)
	// UCS-2, 17 units, 1 segment(s)
	// GSM-7, 161 units, 2 segment(s)
}

func ExampleToGSM7() {
	text, ok := sms.ToGSM7("“Ada’s” review – 1½ h…")
	fmt.Println(text, ok)
	// Output: "Ada's" review - 1 1/2 h... true
}

func ExampleClean() {
	fmt.Printf("%q\n", sms.Clean("Stand-up\r\n\u202eRoom 4\t(back)"))
	// Output: "Stand-up Room 4 (back)"
}

func ExampleFit() {
	fmt.Println(sms.Fit("Quarterly budget review with Ada", sms.GSM7, 24))
	fmt.Println(sms.Fit("Call with 👨‍👩‍👧", sms.UCS2, 15))
	// Output:
	// Quarterly budget...
	// Call with…
}
