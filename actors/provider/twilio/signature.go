package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Signature returns the X-Twilio-Signature of a POST: HMAC-SHA1 over the URL as
// configured, without userinfo and fragment, and every parameter of the form,
// sorted by name; of a name that repeats, each different value, sorted.
// https://www.twilio.com/docs/usage/webhooks/webhooks-security
func Signature(token, rawURL string, form url.Values) string {
	return base64.StdEncoding.EncodeToString(digest(token, bareURL(rawURL), flatten(form)))
}

func digest(token, bare, params string) []byte {
	h := hmac.New(sha1.New, []byte(token))
	h.Write([]byte(bare))
	h.Write([]byte(params))
	return h.Sum(nil)
}

func flatten(form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			b.WriteString(name)
			b.WriteString(v)
		}
	}
	return b.String()
}

// signed compares against every token and every way to write the port, always
// all of them, so that time tells nothing.
func signed(tokens []string, rawURL string, body []byte, signature string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	params := ""
	if sum, ok := bodySum(rawURL); ok {
		have := sha256.Sum256(body)
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(have[:])), []byte(sum)) != 1 {
			return false
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return false
		}
		params = flatten(form)
	}
	same := 0
	for _, token := range tokens {
		for _, u := range portVariants(bareURL(rawURL)) {
			same |= subtle.ConstantTimeCompare(digest(token, u, params), got)
		}
	}
	return same == 1
}

// bodySum returns the hash that stands in the URL when the body is no form.
func bodySum(rawURL string) (string, bool) {
	_, query, _ := strings.Cut(rawURL, "?")
	query, _, _ = strings.Cut(query, "#")
	for pair := range strings.SplitSeq(query, "&") {
		if v, ok := strings.CutPrefix(pair, "bodySHA256="); ok {
			return v, true
		}
	}
	return "", false
}

// bareURL drops userinfo and fragment and touches no other byte.
func bareURL(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	scheme, host, rest, ok := splitURL(raw)
	if !ok {
		return raw
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return scheme + host + rest
}

// portVariants are the URL as it is, and with the default port added or the
// port removed: Twilio's products differ in whether they sign it.
func portVariants(bare string) []string {
	scheme, host, rest, ok := splitURL(bare)
	if !ok {
		return []string{bare}
	}
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return []string{bare, scheme + host[:i] + rest}
	}
	port := ":443"
	if scheme == "http://" {
		port = ":80"
	}
	return []string{bare, scheme + host + port + rest}
}

func splitURL(raw string) (scheme, host, rest string, ok bool) {
	i := strings.Index(raw, "://")
	if i < 0 {
		return "", "", "", false
	}
	scheme, host = raw[:i+3], raw[i+3:]
	if j := strings.IndexAny(host, "/?"); j >= 0 {
		host, rest = host[:j], host[j:]
	}
	return scheme, host, rest, true
}
