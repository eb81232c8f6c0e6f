// Package sms measures and shapes texts as carriers bill and deliver them:
// GSM-7 and UCS-2, segments, transliteration, and cuts that never split what
// a reader sees as one character.
//
// The alphabet is 3GPP TS 23.038's default one with its extension table; the
// segment sizes are those of TS 23.040 (a concatenated segment gives up 6
// octets to its header), as Twilio counts them.
package sms
