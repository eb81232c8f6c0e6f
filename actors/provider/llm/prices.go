package llm

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"carillon/actors/provider"
)

// Price is of a million tokens, in US dollars: which is also millionths of a
// dollar for each.
type Price struct {
	Hit    float64 // of the prompt, found in the endpoint's cache
	Miss   float64 // of the prompt, not found there
	Output float64
}

// Window is a part of the week that has a price of its own, in UTC.
type Window struct {
	Name     string
	Days     [7]bool // from Sunday
	From, To int     // minutes of the day
	Price
}

// Prices is a price table: the first window that holds, else Base.
type Prices struct {
	Base    Price
	Windows []Window
}

// DefaultPrices are DeepSeek's for deepseek-flash, autumn 2026. On Chinese
// public holidays the peak price does not apply; it is counted all the same,
// which errs on the dear side.
const DefaultPrices = "0.003/0.15/0.60; Mon-Fri 01:00-04:00,06:00-10:00 0.006/0.30/1.20"

// ParsePrices reads a table: "hit/miss/output", and after semicolons windows
// with other prices, "Mon-Fri 01:00-04:00,06:00-10:00 hit/miss/output". Prices
// are US dollars per million tokens, times UTC.
func ParsePrices(s string) (Prices, error) {
	var p Prices
	base, rest, _ := strings.Cut(s, ";")
	var err error
	if p.Base, err = parsePrice(strings.TrimSpace(base)); err != nil {
		return p, err
	}
	for part := range strings.SplitSeq(rest, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		words := strings.Fields(part)
		if len(words) != 3 {
			return p, fmt.Errorf("llm: price window %q needs days, times and a price", part)
		}
		price, err := parsePrice(words[2])
		if err != nil {
			return p, err
		}
		days, err := parseDays(words[0])
		if err != nil {
			return p, err
		}
		for times := range strings.SplitSeq(words[1], ",") {
			w := Window{Name: words[0] + " " + times, Days: days, Price: price}
			if w.From, w.To, err = parseTimes(times); err != nil {
				return p, err
			}
			p.Windows = append(p.Windows, w)
		}
	}
	return p, nil
}

func parsePrice(s string) (Price, error) {
	var v [3]float64
	parts := strings.Split(s, "/")
	if len(parts) != len(v) {
		return Price{}, fmt.Errorf("llm: price %q is not hit/miss/output", s)
	}
	for i, part := range parts {
		x, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(x >= 0 && x <= 10_000) {
			return Price{}, fmt.Errorf("llm: price %q is not a number of US dollars per million tokens", part)
		}
		v[i] = x
	}
	return Price{Hit: v[0], Miss: v[1], Output: v[2]}, nil
}

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDays(s string) (days [7]bool, err error) {
	from, to, _ := strings.Cut(strings.ToLower(s), "-")
	if to == "" {
		to = from
	}
	a, b := -1, -1
	for i, name := range dayNames {
		if name == from {
			a = i
		}
		if name == to {
			b = i
		}
	}
	if a < 0 || b < 0 {
		return days, fmt.Errorf("llm: days %q are not like Mon-Fri", s)
	}
	for i := a; ; i = (i + 1) % 7 {
		if days[i] = true; i == b {
			return days, nil
		}
	}
}

func parseTimes(s string) (from, to int, err error) {
	a, b, _ := strings.Cut(s, "-")
	from, err = parseTime(a)
	if err == nil {
		to, err = parseTime(b)
	}
	if err != nil || from >= to {
		return 0, 0, fmt.Errorf("llm: times %q are not like 01:00-04:00 within a day", s)
	}
	return from, to, nil
}

func parseTime(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, errors.New("llm: not a time of day")
	}
	return t.Hour()*60 + t.Minute(), nil
}

// at returns the price at an instant and the name of its window.
func (p *Prices) at(now int64) (Price, string) {
	t := time.UnixMilli(now).UTC()
	minute := t.Hour()*60 + t.Minute()
	for i := range p.Windows {
		if w := &p.Windows[i]; w.Days[t.Weekday()] && w.From <= minute && minute < w.To {
			return w.Price, w.Name
		}
	}
	return p.Base, "base"
}

// most bounds what an endpoint can claim: a count that is no count would
// poison sums for ever.
const (
	mostTokens = 10_000_000
	mostUSD    = 1_000.0
)

func tokens(n int64) int32 { return int32(min(max(n, 0), mostTokens)) }

// price makes tokens and cost of a usage. What the endpoint charged is
// preferred to our table.
func (c *Client) price(u *usage) provider.Composition {
	out := provider.Composition{
		Model: c.conf.Model, PromptTokens: tokens(u.Prompt), CompletionTokens: tokens(u.Completion),
		CachedTokens: min(tokens(max(u.CacheHit, u.Details.Cached)), tokens(u.Prompt)),
	}
	if u.Cost != nil && *u.Cost >= 0 {
		out.CostMicros, out.Priced = micros(min(*u.Cost, mostUSD)*1e6), "reported"
		return out
	}
	p, window := c.conf.Prices.at(c.conf.Now())
	miss := float64(out.PromptTokens - out.CachedTokens)
	cost := float64(out.CachedTokens)*p.Hit + miss*p.Miss + float64(out.CompletionTokens)*p.Output
	out.CostMicros, out.Priced = micros(cost), window
	return out
}

// micros rounds up, but for what floating point adds.
func micros(x float64) int64 { return int64(math.Ceil(x - 1e-6)) }

// estimate is what a request costs at most whose answer nobody saw: as if it
// had been answered in full. A token is three bytes or more in most languages.
func (c *Client) estimate(sent int) provider.Composition {
	out := c.price(&usage{Prompt: int64(sent/3 + 1), Completion: maxTokens})
	out.PromptTokens, out.CompletionTokens, out.Priced = 0, 0, "estimated"
	return out
}
