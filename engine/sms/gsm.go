package sms

// gsmBasic is the default alphabet of 3GPP TS 23.038 6.2.1, one septet each.
const gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

// gsmExtended needs an escape before it: two septets (TS 23.038 6.2.1.1).
const gsmExtended = "\f^{}\\[~]|€"

// gsmTable holds the septets of every character below its length; 0 means
// that the character is not in the alphabet. All but the Greek capitals and
// the euro sign are below 256.
var gsmTable = func() (t [0x100]uint8) {
	for _, r := range gsmBasic {
		if r < 0x100 {
			t[r] = 1
		}
	}
	for _, r := range gsmExtended {
		if r < 0x100 {
			t[r] = 2
		}
	}
	return t
}()

// gsmCost returns the septets of a character, 0 if GSM-7 lacks it.
func gsmCost(r rune) uint8 {
	if r < 0x100 {
		return gsmTable[r]
	}
	switch r {
	case 'Δ', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ':
		return 1
	case '€':
		return 2
	}
	return 0
}
