package twilio

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"carillon/engine"
)

// Retry rules and scopes of the table. RetryReconcile belongs to answers that
// do not say whether the message was created.
const (
	RetryReconcile = "reconcile"

	// ScopeSender marks an account_issue that every message would meet,
	// ScopeDestination one that only messages to some places meet.
	ScopeSender      = "sender"
	ScopeDestination = "destination"
)

// Code is a row of the error table.
type Code struct {
	Code     int    `json:"code"`
	Name     string `json:"name"` // Twilio's name of the error
	Category string `json:"category"`
	Retry    string `json:"retry"`            // never, once, yes, reconcile
	Wait     int    `json:"wait_s,omitempty"` // seconds before another try makes sense
	Severity string `json:"severity"`         // critical, error, warning, info
	Scope    string `json:"scope,omitempty"`  // account_issue only
	Seen     string `json:"seen"`             // C create, D callback, V verify, W warnings and inbound
	Note     string `json:"note,omitempty"`
}

//go:embed errors.json
var tableJSON []byte

// table is read once. The file is part of the binary, so a test, not a user,
// meets a mistake in it.
var table = sync.OnceValue(func() map[int]Code {
	var rows []Code
	if err := json.Unmarshal(tableJSON, &rows); err != nil {
		panic("twilio: errors.json: " + err.Error())
	}
	m := make(map[int]Code, len(rows))
	for _, r := range rows {
		m[r.Code] = r
	}
	return m
})

// Lookup returns the row of a code.
func Lookup(code int) (Code, bool) {
	row, ok := table()[code]
	return row, ok
}

// Codes returns the codes of the table, in order.
func Codes() []int { return slices.Sorted(maps.Keys(table())) }

// failure makes of a code what the engine understands (S5). A code that the
// table does not know has one bounded retry.
func failure(code int) engine.Failure {
	row, ok := Lookup(code)
	if !ok {
		return unknownFailure(code)
	}
	f := engine.Failure{Code: code, Message: row.Name, RetryAfter: int64(row.Wait) * 1000}
	f.Category, _ = engine.ParseCategory(row.Category)
	switch row.Retry {
	case "yes":
		f.Retry = engine.RetryYes
	case "once", RetryReconcile:
		f.Retry = engine.RetryOnce
	}
	return f
}

func unknownFailure(code int) engine.Failure {
	f := engine.Failure{Code: code, Category: engine.CategoryUnknown, Retry: engine.RetryOnce}
	f.Message = "no error code was given"
	if code != 0 {
		f.Message = fmt.Sprintf("error code %d is not in the table", code)
	}
	return f
}
