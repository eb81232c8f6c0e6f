package engine

import "strings"

const bySMS = "sms"

// Keywords of an inbound text (N3, N4).
const (
	KeywordStop    = "stop"
	KeywordStart   = "start"
	KeywordHelp    = "help"
	KeywordConfirm = "confirm"
	KeywordSnooze  = "snooze"
	KeywordAgenda  = "agenda"
)

// Keyword sorts an inbound text: exactly one of the words, in any case, is a
// keyword; "stop please" is not. The words are Twilio's defaults for long
// codes (Twilio: "Advanced Opt-Out"; support article 223134027), and ours for
// replies; SNOOZE may have a number behind it.
func Keyword(text string) string {
	words := strings.ToUpper(plainWords(text))
	switch words {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT":
		return KeywordStop
	case "START", "UNSTOP", "YES":
		return KeywordStart
	case "HELP", "INFO":
		return KeywordHelp
	case "C", "CONFIRM":
		return KeywordConfirm
	case "AGENDA":
		return KeywordAgenda
	}
	if words == "SNOOZE" || strings.HasPrefix(words, "SNOOZE ") {
		return KeywordSnooze
	}
	return ""
}

// plainWords is a text without what phones put around a word.
func plainWords(text string) string { return strings.Trim(strings.TrimSpace(text), ".!\"'") }

// receiveText takes an inbound text. The same one again changes nothing: the
// carrier repeats a webhook that it holds for lost.
func (t *turn) receiveText(c ReceiveText) Reply {
	word := Keyword(c.Text)
	switch strings.ToUpper(c.OptOut) {
	case "STOP":
		word = KeywordStop
	case "START":
		word = KeywordStart
	case "HELP":
		word = KeywordHelp
	}
	key := "sms:" + c.SID
	if _, seen := t.u.usedKey(key, t.env.Now); c.SID != "" && seen {
		return TextReply{Keyword: word, Answer: t.answerAgain(word)}
	}
	t.emit(InboundReceived{SID: c.SID, Keyword: word, Text: clip(c.Text, maxLedgerText)})
	if c.SID != "" {
		t.emit(KeyUsed{Key: key})
	}
	reply := t.keyword(word, c.Text)
	if c.OptOut != "" {
		reply.Answer = "" // the carrier that classified it has answered it (N3)
	}
	return reply
}

// keyword does what an inbound keyword asks for.
func (t *turn) keyword(word, text string) TextReply {
	switch word {
	case KeywordStop:
		t.setOptOut(true, bySMS, text)
		return TextReply{Keyword: word, Answer: answerStop}
	case KeywordStart:
		if !t.u.OptedOut {
			return TextReply{} // "yes" to something else
		}
		t.setOptOut(false, bySMS, text)
		return TextReply{Keyword: word, Answer: answerStart}
	case KeywordHelp:
		return TextReply{Keyword: word, Answer: answerHelp}
	}
	if t.u.OptedOut {
		return TextReply{Keyword: word} // who said STOP gets no text, not even an answer
	}
	switch word {
	case KeywordConfirm:
		return TextReply{Keyword: word, Answer: t.confirmLatest()}
	case KeywordSnooze:
		return TextReply{Keyword: word, Answer: t.snooze(text)}
	case KeywordAgenda:
		return TextReply{Keyword: word, Answer: t.agenda()}
	}
	return TextReply{}
}

// answerAgain answers a webhook that the carrier brings again because our
// answer got lost. It changes nothing: what was asked for has been done.
func (t *turn) answerAgain(word string) string {
	r := t.latest()
	switch {
	case t.u.OptedOut:
	case word == KeywordConfirm && (r == nil || r.ConfirmedAt != 0):
		return t.confirmLatest()
	case word == KeywordAgenda:
		return t.agenda()
	case word == KeywordSnooze && r != nil:
		return t.snoozeAnswer(r.ID)
	}
	return ""
}

// setConsent opts the person out or in through the API.
func (t *turn) setConsent(c SetConsent) Reply {
	by := c.By
	if by == "" {
		by = byAPI
	}
	t.setOptOut(c.OptOut, by, c.Reason)
	return t.getUser()
}

// setOptOut writes the ledger's line and cancels, or plans, in the same
// record (N3, N5). A consent that is as it was leaves no line.
func (t *turn) setOptOut(out bool, by, text string) {
	if t.u.OptedOut == out {
		return
	}
	t.emit(ConsentChanged{OptedOut: out, By: by, Text: clip(text, maxLedgerText)})
	t.replan()
}

const maxLedgerText = 320 // bytes of a person's own words that are kept

// clip cuts a text at that many bytes, between runes.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xC0 == 0x80 {
		limit--
	}
	return s[:limit]
}
