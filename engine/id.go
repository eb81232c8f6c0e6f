package engine

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
)

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// reminderID derives a reminder's id from what makes it one (P6): planning
// twice, replaying or racing can't make two.
func reminderID(userID, eventID string, lead int32, occ Millis) string {
	return digest("r_", "event", userID, eventID, int64(lead), occ)
}

// customID derives a custom reminder's id from the user's count of events,
// which no other reminder of that user can have, and from the instant: a user
// of the same id who was erased before counted from one too (N6).
func customID(userID string, seq uint64, now Millis) string {
	return digest("r_", "custom", userID, "", int64(seq), now)
}

// snoozeID derives the id of a reminder that is wanted once more at that
// instant.
func snoozeID(userID, reminderID string, at Millis) string {
	return digest("r_", "snooze", userID, reminderID, at, 0)
}

// messageID names one attempt of a reminder. The user's birth tells it from
// the attempts for somebody who had the id before and was erased: their late
// callbacks must find nobody (N6). So does the number of restores tell it from one
// that was lost with the store: of a store that was never restored it is no part of
// the id.
func messageID(reminderID string, attempt int32, born Millis, restores uint64) string {
	behind := ""
	if restores > 0 {
		behind = strconv.FormatUint(restores, 10)
	}
	return digest("m_", "message", reminderID, behind, int64(attempt), born) + "_" + strconv.Itoa(int(attempt))
}

const (
	hashedBytes = 20 // of a SHA-256, as many as make whole groups of the encoding
	base32Bytes = 32
	digestBytes = 26
)

// digest is 130 bits of SHA-256 over length-prefixed parts, behind the prefix.
func digest(prefix, kind, user, event string, a, b int64) string {
	buf := make([]byte, 0, 192) // on the stack, for ids of the usual length
	for _, s := range [...]string{kind, user, event} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	buf = binary.BigEndian.AppendUint64(buf, uint64(a))
	buf = binary.BigEndian.AppendUint64(buf, uint64(b))
	sum := sha256.Sum256(buf)
	var out [base32Bytes]byte
	idEncoding.Encode(out[:], sum[:hashedBytes])
	return prefix + string(out[:digestBytes])
}
