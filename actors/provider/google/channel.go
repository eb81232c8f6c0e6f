package google

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// A channel is asked for a week, Google's default, and made anew a day before
// it ends: Google renews none by itself.
const (
	channelLife = 7 * 24 * time.Hour
	renewBefore = 24 * time.Hour
)

// watch is a channel as Google's API has it.
type watch struct {
	ID         string            `json:"id"`
	Type       string            `json:"type,omitempty"`
	Address    string            `json:"address,omitempty"`
	Token      string            `json:"token,omitempty"`
	Params     map[string]string `json:"params,omitempty"`
	ResourceID string            `json:"resourceId,omitempty"`
	Expiration string            `json:"expiration,omitempty"` // Unix milliseconds
}

// channel returns how Google tells of changes to a calendar, made anew if need
// be. Without one the calendar is polled all the same, so that a refusal is no
// failure of the reading; the next one asks again.
func (g *Client) channel(ctx context.Context, q provider.CalendarQuery) engine.Channel {
	was := q.Calendar.Channel
	if was.ID != "" && was.Until-q.Now > renewBefore.Milliseconds() || g.c.PushURL == "" {
		return was
	}
	in := watch{
		ID: g.c.NewToken(), Type: "web_hook", Address: g.c.PushURL, Token: Token(q.UserID, q.Calendar.ID, g.c.NewToken()),
		Params: map[string]string{"ttl": strconv.Itoa(int(channelLife / time.Second))},
	}
	var out watch
	path := "/calendar/v3/calendars/" + url.PathEscape(q.Calendar.Source) + "/events/watch"
	if err := g.call(ctx, &q.Calendar, http.MethodPost, path, nil, in, &out); err != nil {
		return was
	}
	if was.ID != "" { // both were there for a moment, so that no change fell between them
		_ = g.call(ctx, &q.Calendar, http.MethodPost, "/calendar/v3/channels/stop", nil, watch{ID: was.ID, ResourceID: was.Resource}, nil)
	}
	until, err := strconv.ParseInt(out.Expiration, 10, 64)
	if err != nil {
		until = q.Now + channelLife.Milliseconds()
	}
	return engine.Channel{ID: in.ID, Resource: out.ResourceID, Token: in.Token, Until: until}
}

// Token is what Google gives back with each notification: whose calendar has
// changed, and a secret. Google takes 256 characters.
func Token(userID, calendarID, secret string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(userID)) + "." + calendarID + "." + secret
}

// ParseToken reads whose calendar a token is about. That it is the right one is
// the engine's to say, which has all of it.
func ParseToken(token string) (userID, calendarID string, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", false
	}
	user, err := base64.RawURLEncoding.DecodeString(parts[0])
	return string(user), parts[1], err == nil && len(user) > 0 && parts[1] != "" && parts[2] != ""
}
