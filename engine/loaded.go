package engine

import "slices"

// loaded reports words that only the event itself may bring into its text:
// such as say another time, that it is off, or what to do with money, secrets
// and messages. A model that adds one was misled, or guesses. English only:
// texts in other languages have the other checks.
func loaded(word string) bool {
	_, found := slices.BinarySearch(loadedWords, word)
	return found
}

// loadedWords is sorted; a test holds that.
var loadedWords = []string{
	"account", "afternoon", "ai", "april", "assistant", "august", "bank", "banking", "billion", "bitcoin", "blocked",
	"call", "called", "calling", "canceled", "cancelled", "cash", "changed", "claim", "click", "code", "codes", "com",
	"confirm", "confirmed", "credit", "crypto", "december", "delayed", "delivery", "dial", "dollar", "dollars", "dot",
	"download", "earlier", "eight", "eighteen", "eighty", "eleven", "ended", "ends", "euro", "euros", "evening",
	"expired", "expires", "february", "fee", "fifteen", "fifty", "five", "forty", "four", "free", "friday", "fridays",
	"gift", "half", "hour", "hours", "http", "https", "hundred", "ignore", "ignored", "immediately", "install",
	"instruction", "instructions", "january", "july", "june", "later", "locked", "log", "login", "midnight", "million",
	"mins", "minute", "minutes", "monday", "mondays", "money", "morning", "moved", "never", "nine", "ninety", "no",
	"noon", "not", "november", "now", "october", "off", "one", "package", "parcel", "password", "pay", "payment", "pin",
	"pm", "police", "postponed", "previous", "prize", "prompt", "quarter", "refund", "reply", "rescheduled", "respond",
	"saturday", "saturdays", "scam", "security", "send", "sent", "september", "seven", "seventy", "six", "sixty", "sms",
	"started", "stop", "sunday", "sundays", "suspended", "system", "tap", "tax", "ten", "thirty", "thousand", "three",
	"thursday", "thursdays", "today", "tomorrow", "tonight", "transfer", "tuesday", "tuesdays", "twelve", "twenty",
	"two", "unlock", "unsubscribe", "urgent", "urgently", "verification", "verify", "virus", "visit", "voucher",
	"wednesday", "wednesdays", "whatsapp", "win", "winner", "wire", "won", "www", "yesterday",
}
