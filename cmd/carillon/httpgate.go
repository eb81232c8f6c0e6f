package main

import (
	"strings"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/httpgate"
)

// httpCarrierSettings describe a gateway (docs/carrier.md has an example).
type httpCarrierSettings struct {
	URL          string `group:"settings" help:"Where the carrier http takes messages."`
	Method       string `group:"settings" default:"POST" help:"POST or PUT."`
	ContentType  string `group:"settings" name:"content-type" default:"application/json" help:"What the body is; values are escaped for it: JSON, form or XML."`
	Body         string `group:"settings" help:"Body of a message, with {to}, {to_digits}, {text}, {user_id}, {reminder_id}, {message_id}, {segments}, {valid_seconds}, {valid_until}."`
	Accepted     string `group:"settings" default:"200-299" help:"Statuses that accept a message."`
	Refused      string `group:"settings" default:"400-499" help:"Statuses that refuse one; what is in neither is no answer, and the message is uncertain (S3)."`
	OK           string `group:"settings" name:"ok" help:"path=value that an accepted answer must hold, for gateways that say no with a 200."`
	ID           string `group:"settings" name:"id" help:"Path of the gateway's id in the answer, such as messages.0.id or /messages/0/id; empty if it gives none."`
	Code         string `group:"settings" help:"Path of the error code in a refusal; one without a code is then no answer."`
	Codes        string `group:"settings" help:"What codes mean: category=code,code;category=code (S5)."`
	FindURL      string `group:"settings" name:"find-url" help:"Look-up of a message whose answer was lost, by {message_id} or {to}; without one such a message stays uncertain."`
	StatusURL    string `group:"settings" name:"status-url" help:"Look-up of a message by the gateway's {id} (D5)."`
	FoundID      string `group:"settings" name:"found-id" help:"Path of the id in a look-up's answer."`
	FoundStatus  string `group:"settings" name:"found-status" help:"Path of the status in a look-up's answer."`
	FoundText    string `group:"settings" name:"found-text" help:"Path of the text in a look-up's answer, to be compared."`
	FoundTo      string `group:"settings" name:"found-to" help:"Path of the number in a look-up's answer, to be compared."`
	FoundCreated string `group:"settings" name:"found-created" help:"Path of the time in a look-up's answer, to be compared."`
	Absent       string `group:"settings" help:"How a look-up says that there is no such message: a status, or path=value; empty if it can't."`
	Statuses     string `group:"settings" help:"The gateway's words for ours: delivered=DELIVRD;undelivered=UNDELIV,EXPIRED."`
}

// newHTTPGate wires the carrier http. Numbers can only be attested.
func newHTTPGate(s *settings, headers string) (carrier, error) {
	h := s.HTTPCarrier
	conf := httpgate.Config{
		URL: h.URL, Method: h.Method, ContentType: h.ContentType, Body: h.Body, Accepted: h.Accepted, Refused: h.Refused,
		OK: h.OK, ID: h.ID, Code: h.Code, Codes: h.Codes, FindURL: h.FindURL, StatusURL: h.StatusURL,
		FoundID: h.FoundID, FoundStatus: h.FoundStatus, FoundText: h.FoundText, FoundTo: h.FoundTo, FoundCreated: h.FoundCreated,
		Absent: h.Absent, Statuses: h.Statuses,
		MaxConns: s.MaxSends, Now: actors.SystemClock{}.Now,
	}
	for line := range strings.Lines(headers) {
		if line = strings.TrimSpace(line); line != "" {
			conf.Headers = append(conf.Headers, line)
		}
	}
	c, err := httpgate.New(conf)
	if err != nil {
		return carrier{}, usageError{err}
	}
	return carrier{sender: c, verifier: provider.DryRun{}}, nil
}
