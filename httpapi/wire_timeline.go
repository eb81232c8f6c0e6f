package httpapi

import (
	"bytes"

	"carillon/engine"
)

// entryJSON is one decision as shown.
type entryJSON struct {
	Seq        uint64     `json:"seq"`
	At         string     `json:"at"`
	Kind       string     `json:"kind"`
	Reason     *string    `json:"reason"`
	EventID    *string    `json:"event_id"`
	ReminderID *string    `json:"reminder_id"`
	MessageID  *string    `json:"message_id"`
	Detail     detailJSON `json:"detail"`
}

// detailJSON is an object whose members keep their order.
type detailJSON []engine.Field

// MarshalJSON writes instants as RFC 3339.
func (d detailJSON) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, f := range d {
		if i > 0 {
			out.WriteByte(',')
		}
		v := f.Value
		if at, ok := v.(engine.Instant); ok {
			v = instantOrNull(engine.Millis(at))
		}
		name, err := encode(f.Name)
		if err != nil {
			return nil, err
		}
		value, err := encode(v)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func showEntry(e engine.TimelineEntry) entryJSON {
	return entryJSON{
		Seq: e.Seq, At: showInstant(e.At), Kind: e.Kind, Reason: textOrNull(e.Reason.String()),
		EventID: textOrNull(e.EventID), ReminderID: textOrNull(e.ReminderID), MessageID: textOrNull(e.MessageID),
		Detail: detailJSON(e.Detail),
	}
}
