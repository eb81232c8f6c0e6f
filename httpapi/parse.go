package httpapi

import (
	"errors"

	"carillon/engine"
)

// ParseEvent reads a calendar event as PUT …/events takes it, with its
// event_id in the body, for a caller that has no server. No more than the form
// is looked at.
func ParseEvent(body []byte) (engine.CalendarEvent, error) {
	f, err := readObject(body)
	if err != nil {
		return engine.CalendarEvent{}, bare(err)
	}
	e := readEvent(f, "")
	return e, bare(f.err())
}

// ParsePreferences reads the preferences of a user as PUT /v1/users takes them.
// What is absent takes its default.
func ParsePreferences(body []byte) (engine.UpdateUser, error) {
	f, err := readObject(body)
	if err != nil {
		return engine.UpdateUser{}, bare(err)
	}
	c := engine.UpdateUser{Create: true, Replace: true}
	if quiet := readPreferences(f, &c, false); quiet != (quietPatch{}) {
		c.Quiet = engine.Some(quiet.over(engine.Quiet{}))
	}
	return c, bare(f.err())
}

// bare takes HTTP out of an error.
func bare(err error) error {
	if p, known := problemOf(err, false); err != nil && known {
		return errors.New(p.Detail)
	}
	return err
}
