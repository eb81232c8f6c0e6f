package google

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"carillon/actors/provider"
)

// Sizes of a reading: Google's largest page, and how many pages there may be.
const (
	pageSize = 2500
	maxPages = 20
)

// wholeEvery is how long only changes are asked for: meanwhile the window
// moves, and instances of series come into it.
const wholeEvery = 20 * time.Hour

// page is one answer of events.list (Calendar API v3).
type page struct {
	Items         []item `json:"items"`
	NextPageToken string `json:"nextPageToken"`
	NextSyncToken string `json:"nextSyncToken"`
}

// Read implements provider.CalendarReader. Changes are asked for behind the
// cursor; at the beginning, once a day, and when Google has forgotten the
// cursor, the whole window.
func (g *Client) Read(ctx context.Context, q provider.CalendarQuery) (provider.CalendarReading, error) {
	k := &q.Calendar
	cursor := k.Cursor
	if k.WholeAt < q.Start || q.Now-k.WholeAt >= wholeEvery.Milliseconds() {
		cursor = ""
	}
	out, err := g.list(ctx, q, cursor)
	if errors.Is(err, errGone) {
		out, err = g.list(ctx, q, "")
	}
	if err != nil {
		return provider.CalendarReading{}, err
	}
	out.Channel = g.channel(ctx, q)
	return out, nil
}

// errGone says that changes can't be told any more: HTTP 410, fullSyncRequired.
var errGone = errors.New("google: the sync token is not good any more")

// list reads all pages of the window, or of the changes behind a cursor.
func (g *Client) list(ctx context.Context, q provider.CalendarQuery, cursor string) (provider.CalendarReading, error) {
	out := provider.CalendarReading{Whole: cursor == ""}
	query := url.Values{"singleEvents": {"true"}, "maxResults": {strconv.Itoa(pageSize)}, "eventTypes": {"default", "fromGmail"}}
	if cursor != "" {
		query.Set("syncToken", cursor)
	} else {
		query.Set("timeMin", time.UnixMilli(q.Start).In(q.Zone).Format(time.RFC3339))
		query.Set("timeMax", time.UnixMilli(q.End).In(q.Zone).Format(time.RFC3339))
	}
	path := "/calendar/v3/calendars/" + url.PathEscape(q.Calendar.Source) + "/events"
	for range maxPages {
		var p page
		if err := g.call(ctx, &q.Calendar, http.MethodGet, path, query, nil, &p); err != nil {
			if refused, ok := errors.AsType[*apiError](err); ok && cursor != "" && refused.status == http.StatusGone {
				return out, errGone
			}
			return out, problem(err)
		}
		for i := range p.Items {
			if e, alive := p.Items[i].event(q.Zone, q.Calendar.Private); alive {
				out.Events = append(out.Events, e)
			} else {
				out.Gone = append(out.Gone, p.Items[i].ID)
			}
		}
		if p.NextPageToken == "" {
			out.Cursor = p.NextSyncToken
			return out, nil
		}
		query.Set("pageToken", p.NextPageToken)
	}
	return out, &provider.CalendarError{Problem: provider.CalendarTooLarge, Cause: "more than " + strconv.Itoa(maxPages) + " pages"}
}
