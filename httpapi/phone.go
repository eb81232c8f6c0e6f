package httpapi

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

var (
	errPhone       = errors.New("not a phone number; write it with its country code, such as +4915112345678")
	errPhoneRegion = errors.New("the number has no country code, and no default_region is configured; write it with a leading +")
)

// Region reports whether numbers without country code can be read in that
// region.
func Region(s string) bool { return phonenumbers.GetSupportedRegions()[s] }

// parsePhone returns a number as E.164 (N1). A number without country code
// is read in the account's region if there is one, never guessed into +1.
//
// A number has to be possible (country code and length), not assigned:
// carriers keep test ranges that no numbering plan assigns, and plans change
// faster than libraries. Whether it takes texts is the carrier's to say.
func parsePhone(s, region string) (string, error) {
	// The library also finds numbers inside prose and spells out letters.
	if strings.Trim(s, "+0123456789 -()./\u00a0") != "" {
		return "", errPhone
	}
	n, err := phonenumbers.Parse(s, region)
	if errors.Is(err, phonenumbers.ErrInvalidCountryCode) && region == "" {
		return "", errPhoneRegion
	}
	if err != nil || n.GetExtension() != "" || phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		return "", errPhone
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// phone reads a field with a number.
func (f *fields) phone(name, region string) (string, bool) {
	s, there := f.text(name, 64)
	if !there {
		return "", false
	}
	e164, err := parsePhone(s, region)
	if err != nil {
		f.fail(name, codeInvalidPhone, err.Error())
		return "", false
	}
	return e164, true
}
