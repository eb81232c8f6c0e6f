package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// The headers of a webhook.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

const (
	secretPrefix = "whsec_"
	version      = "v1"
	// Bounds of a secret, in bytes, by the specification ("Symmetric").
	minSecret, maxSecret = 24, 64
)

// Keys are the secrets that signatures are made with, and accepted by: one, or
// two while one takes the other's place.
type Keys [][]byte

// ErrSecret says that a secret can't be used. It never holds the secret.
var ErrSecret = errors.New("a secret is whsec_ and the base64 of 24 to 64 random bytes")

// ParseKeys reads secrets; empty ones are left out.
func ParseKeys(secrets ...string) (Keys, error) {
	var keys Keys
	for _, s := range secrets {
		if s == "" {
			continue
		}
		encoded, ok := strings.CutPrefix(s, secretPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
			return nil, ErrSecret
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Sign returns the header of a body: a signature by each key, so that a
// receiver that knows one of them is content.
func (k Keys) Sign(id string, at int64, body []byte) string {
	var out strings.Builder
	for i, key := range k {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(version + ",")
		out.WriteString(base64.StdEncoding.EncodeToString(sum(key, id, strconv.FormatInt(at, 10), body)))
	}
	return out.String()
}

// sum is HMAC-SHA256 over id.timestamp.body.
func sum(key []byte, id, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// The errors of Verify.
var (
	ErrHeaders   = errors.New("webhook-id, webhook-timestamp and webhook-signature are needed")
	ErrSignature = errors.New("no signature holds over webhook-id, webhook-timestamp and body")
	ErrTimestamp = errors.New("the timestamp is more than 5 minutes from now")
)

// tolerance is how far a timestamp may be from now, in seconds: a body that
// was overheard is of no use later.
const tolerance = 5 * 60

// Verify checks what somebody posted at now, in Unix milliseconds. The
// signature comes first: only then is the timestamp anybody's word.
func (k Keys) Verify(id, timestamp, signature string, body []byte, now int64) error {
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || signature == "" || err != nil {
		return ErrHeaders
	}
	if !k.holds(id, timestamp, signature, body) {
		return ErrSignature
	}
	if d := now/1000 - at; d > tolerance || d < -tolerance {
		return ErrTimestamp
	}
	return nil
}

// holds tries every key on every signature; those of other versions are
// somebody else's.
func (k Keys) holds(id, timestamp, signature string, body []byte) bool {
	found := false
	for s := range strings.FieldsSeq(signature) {
		v, encoded, _ := strings.Cut(s, ",")
		given, err := base64.StdEncoding.DecodeString(encoded)
		if v != version || err != nil {
			continue
		}
		for _, key := range k {
			if hmac.Equal(given, sum(key, id, timestamp, body)) {
				found = true
			}
		}
	}
	return found
}
