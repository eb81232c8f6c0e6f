package sandbox

import "carillon/engine"

// behavior is what a number does with a text.
type behavior uint8

const (
	delivers     behavior = iota
	refuses               // an error code instead of a sid
	loses                 // accepted, and later undelivered or failed
	forgetsReply          // accepted, delivered and reported, but the answer is lost
	silentReply           // accepted and delivered, but answer and reports are lost
	dropsRequest          // not accepted, and nobody says so
	silent                // accepted, and never any news
)

// Number is a number with a character.
type Number struct {
	Phone string `json:"phone"` // E.164
	Does  string `json:"does"`  // what happens, in a line
	Code  int    `json:"code,omitempty"`
	// Once is set when only the first text to it misbehaves.
	Once bool `json:"once,omitempty"`

	how     behavior
	failure engine.Failure
	status  engine.MessageStatus // of loses
}

// Magic is the table of numbers with a character, in order of number. The first
// five are Twilio's own test numbers
// (https://www.twilio.com/docs/iam/test-credentials), the others are ours. Every
// other number delivers.
func Magic() []Number {
	return append([]Number(nil), magic...)
}

var magic = []Number{
	no("+15005550001", 21211, engine.CategoryInvalidNumber, engine.RetryNever, "invalid number"),
	no("+15005550002", 21612, engine.CategoryCarrierIssue, engine.RetryNever, "no route to the number"),
	no("+15005550003", 21408, engine.CategoryAccountIssue, engine.RetryNever, "region not enabled for the account"),
	no("+15005550004", 21610, engine.CategoryOptedOut, engine.RetryNever, "the person opted out at the carrier"),
	no("+15005550009", 21614, engine.CategoryInvalidNumber, engine.RetryNever, "not a mobile number"),
	lost("+15005550101", 30003, engine.MessageUndelivered, engine.CategoryUnreachable, engine.RetryYes, "handset unreachable"),
	lost("+15005550102", 30007, engine.MessageFailed, engine.CategoryFiltered, engine.RetryNever, "filtered as spam"),
	{Phone: "+15005550103", Does: "the answer is lost, the text is accepted and reported", how: forgetsReply},
	{Phone: "+15005550104", Does: "the answer and every report are lost, the text is accepted", how: silentReply},
	{Phone: "+15005550105", Does: "the answer is lost, the text is not accepted", how: dropsRequest},
	{Phone: "+15005550106", Does: "accepted, and never any news", how: silent},
	no("+15005550107", codeTooFast, engine.CategoryRateLimit, engine.RetryYes, "too many requests"),
	no("+15005550108", codeAccount, engine.CategoryAccountIssue, engine.RetryNever, "the account's credentials are refused"),
	first(lost("+15005550111", 30003, engine.MessageUndelivered, engine.CategoryUnreachable, engine.RetryYes, "handset unreachable")),
	first(Number{Phone: "+15005550115", Does: "the answer is lost, the text is not accepted", how: dropsRequest}),
	first(no("+15005550117", codeTooFast, engine.CategoryRateLimit, engine.RetryYes, "too many requests")),
}

const (
	codeTooFast = 20429
	codeAccount = 20003
)

var magicByPhone = func() map[string]*Number {
	m := make(map[string]*Number, len(magic))
	for i := range magic {
		m[magic[i].Phone] = &magic[i]
	}
	return m
}()

func no(phone string, code int, c engine.Category, r engine.RetryRule, does string) Number {
	return Number{
		Phone: phone, Does: "refused: " + does, Code: code, how: refuses,
		failure: engine.Failure{Code: code, Category: c, Retry: r, Message: does},
	}
}

func lost(phone string, code int, s engine.MessageStatus, c engine.Category, r engine.RetryRule, does string) Number {
	return Number{
		Phone: phone, Does: "accepted, then " + s.String() + ": " + does, Code: code, how: loses, status: s,
		failure: engine.Failure{Code: code, Category: c, Retry: r, Message: does},
	}
}

func first(n Number) Number {
	n.Once = true
	n.Does = "only the first text: " + n.Does
	return n
}
