package bench

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// The picture's measures, in pixels.
const (
	picWidth  = 900
	picLabel  = 300
	picBar    = 420
	picRow    = 20
	picAimsAt = 3 // a bar ends at three times the aim
)

// Picture draws results against the aims, and against the peers where there
// are results with a system's name, as SVG.
func Picture(own, peers []Result) string {
	p := &picture{}
	if len(own) > 0 {
		p.heading("carillon against its aims", fmt.Sprintf("%s · %s · commit %s", own[0].Machine, own[0].Date, own[0].Commit))
		p.againstAims(judge(own))
	}
	if len(peers) > 0 {
		p.y += picRow
		p.heading("carillon beside its peers", fmt.Sprintf("same payload, same sitting · %s · %s · commit %s", peers[0].Machine, peers[0].Date, peers[0].Commit))
		p.besidePeers(peers)
	}
	height := p.y + picRow
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">`,
		picWidth, height, picWidth, height) + "\n" + fmt.Sprintf(`<rect width="%d" height="%d" fill="#fff"/>`, picWidth, height) + "\n" + p.b.String() + "</svg>\n"
}

type picture struct {
	b strings.Builder
	y int
}

func (p *picture) text(x, y int, style, s string) {
	fmt.Fprintf(&p.b, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y, style, html.EscapeString(s))
}

func (p *picture) heading(title, under string) {
	p.y += 30
	p.text(20, p.y, `font-size="17" font-weight="600" fill="#111"`, title)
	p.y += 18
	p.text(20, p.y, `font-size="11" fill="#555"`, under)
	p.y += 12
}

// bar draws one row: a label, a bar of a share of the width, a value.
func (p *picture) bar(label, value, color string, share float64) {
	w := int(max(min(share, 1), 0.005) * picBar)
	p.text(picLabel-8, p.y+14, `text-anchor="end" fill="#222"`, label)
	fmt.Fprintf(&p.b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", picLabel, p.y+3, w, picRow-6, color)
	p.text(picLabel+w+6, p.y+14, `fill="#444" font-size="12"`, value)
	p.y += picRow
}

// againstAims draws how far each aim was reached, with a line at the aim.
func (p *picture) againstAims(all []verdict) {
	top := p.y
	for _, v := range all {
		color := "#2a7f62"
		if v.reach < 1 {
			color = "#c2703d"
		}
		more := ""
		if v.reach > picAimsAt {
			more = " →"
		}
		p.bar(v.workload+": "+v.what, fmt.Sprintf("%s (%.1f ×)%s", number(v.got), v.reach, more), color, v.reach/picAimsAt)
	}
	x := picLabel + picBar/picAimsAt
	fmt.Fprintf(&p.b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#111" stroke-dasharray="3 3"/>`+"\n", x, top, x, p.y)
	p.text(x, p.y+13, `text-anchor="middle" font-size="11" fill="#111"`, "aim")
	p.y += 18
}

// besidePeers draws a group of bars for each workload, in its own measure.
func (p *picture) besidePeers(all []Result) {
	var titles []string
	for _, r := range all {
		if !slices.Contains(titles, r.Title()) {
			titles = append(titles, r.Title())
		}
	}
	for _, title := range titles {
		p.group(title, slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return r.Title() != title }))
	}
	p.y += 8
	p.text(20, p.y+13, `font-size="11" fill="#555"`, "Light bars: answered before it is flushed, so that a power failure takes acknowledged reminders back.")
	p.y += picRow
}

// group is a workload of all systems: how many per second or, where that was
// given, how late or how long.
func (p *picture) group(title string, rows []Result) {
	value, unit := func(r Result) float64 { return r.OpsPerS }, ""
	switch rows[0].Workload {
	case "steady":
		value, unit = func(r Result) float64 { return r.P99 }, " ms"
		title += ": lateness, p99; less is better"
	case "restart":
		value, unit = ofDetail("done_after_start_s"), " s"
		title += " in the middle of a burst: until all are with the carrier; less is better"
	default:
		title += ": per second"
	}
	greatest := 0.0
	for _, r := range rows {
		greatest = max(greatest, value(r))
	}
	p.y += 8
	p.text(20, p.y+14, `font-weight="600" fill="#222"`, title)
	p.y += picRow
	for _, r := range rows {
		color := "#8a94a6"
		switch {
		case r.System == "carillon":
			color = "#2a7f62"
		case r.Details[NotFlushed] > 0:
			color = "#cdd3dd"
		}
		label := number(value(r)) + unit
		if early := r.Details["early"]; early > 0 {
			label += fmt.Sprintf(", %s before their time", number(early))
		}
		if twice := r.Details["twice"]; twice > 0 {
			label += fmt.Sprintf(", %s texted twice", number(twice))
		}
		p.bar(r.System, label, color, value(r)/max(greatest, 1e-9))
	}
}

// NotFlushed is the detail of a peer that answers before it has flushed.
const NotFlushed = "answers_before_flush"
