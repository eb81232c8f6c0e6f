package httpapi

import "carillon/engine"

// planJSON is a day's plan as shown.
type planJSON struct {
	Date     string         `json:"date"`
	Timezone string         `json:"timezone"`
	DayStart string         `json:"day_start"`
	DayEnd   string         `json:"day_end"`
	Limit    int32          `json:"limit"`
	Items    []planItemJSON `json:"items"`
}

type planItemJSON struct {
	EventID      *string `json:"event_id"`
	ReminderID   string  `json:"reminder_id"`
	EventTitle   *string `json:"event_title"`
	LeadMinutes  *int32  `json:"lead_minutes"`
	ScheduledFor string  `json:"scheduled_for"`
	Outcome      string  `json:"outcome"`
	Reason       *string `json:"reason"`
	Text         *string `json:"text"`
}

func showPlan(p engine.Plan) planJSON {
	out := planJSON{
		Date: p.Date.String(), Timezone: p.Zone, DayStart: showInstant(p.Start), DayEnd: showInstant(p.End),
		Limit: p.Limit, Items: make([]planItemJSON, 0, len(p.Items)),
	}
	for _, i := range p.Items {
		item := planItemJSON{
			EventID: textOrNull(i.EventID), ReminderID: i.ReminderID, LeadMinutes: leadOrNull(i.Lead),
			ScheduledFor: showInstant(i.Due), Outcome: "skipped", Reason: textOrNull(i.Reason.String()), Text: textOrNull(i.Text),
		}
		if i.EventID != "" {
			title := i.Title
			item.EventTitle = &title
		}
		if i.Scheduled {
			item.Outcome = "scheduled"
		}
		out.Items = append(out.Items, item)
	}
	return out
}
