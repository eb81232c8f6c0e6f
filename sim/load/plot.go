package load

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Margins of a plot, in its own units; the page scales it.
const (
	marginLeft, marginRight = 62.0, 16.0
	marginTop, marginBottom = 26.0, 30.0
	gridLines               = 4.0
)

// size is the box that a plot is drawn in.
type size struct{ width, height float64 }

var (
	wide = size{1080, 250}
	half = size{520, 240}
)

func (s size) innerWidth() float64  { return s.width - marginLeft - marginRight }
func (s size) innerHeight() float64 { return s.height - marginTop - marginBottom }

// bar is one column of a histogram.
type bar struct {
	label, top, title string
	value             float64
}

type point struct{ x, y float64 }

// line is one series; class is its color in the page's style sheet.
type line struct {
	name, class string
	points      []point
	filled      bool
}

// plot draws SVG. Everything that it writes is ours or escaped.
type plot struct {
	strings.Builder
	size
}

func (p *plot) add(format string, args ...any) { fmt.Fprintf(&p.Builder, format, args...) }

func (p *plot) begin(title string) {
	p.add(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, p.width, p.height, template.HTMLEscapeString(title))
}

func (p *plot) text(class, anchor string, x, y float64, s string) {
	p.add(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, template.HTMLEscapeString(s))
}

func (p *plot) end() template.HTML {
	p.add(`</svg>`)
	return template.HTML(p.String()) //nolint:gosec // made here; labels are escaped
}

// scaleY draws the grid and returns where a value lies.
func (p *plot) scaleY(most float64, show func(float64) string) func(v float64) float64 {
	top := niceAbove(most)
	y := func(v float64) float64 { return marginTop + p.innerHeight()*(1-v/top) }
	for i := range int(gridLines) + 1 {
		v := top * float64(i) / gridLines
		p.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, marginLeft, p.width-marginRight, y(v), y(v))
		p.text("tick", "end", marginLeft-8, y(v)+4, show(v))
	}
	return y
}

// niceAbove is a round number at or above v that four grid lines divide well.
func niceAbove(v float64) float64 {
	if v <= 0 {
		return gridLines
	}
	size := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10} {
		if step*size >= v {
			return max(step*size, gridLines)
		}
	}
	return 10 * size
}

func barPlot(box size, title string, bars []bar) template.HTML {
	p := &plot{size: box}
	p.begin(title)
	most := 0.0
	for _, b := range bars {
		most = max(most, b.value)
	}
	y := p.scaleY(most*1.08, func(v float64) string { return thousands(int(v)) })
	step := p.innerWidth() / float64(max(len(bars), 1))
	for i, b := range bars {
		x, top := marginLeft+step*(float64(i)+.14), y(b.value)
		if b.value > 0 {
			top = min(top, y(0)-2)
		}
		p.add(`<rect class="fill-a" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3"><title>%s</title></rect>`,
			x, top, step*.72, y(0)-top, template.HTMLEscapeString(b.title))
		p.text("value", "middle", x+step*.36, top-6, b.top)
		p.text("tick", "middle", x+step*.36, p.height-10, b.label)
	}
	return p.end()
}

func linePlot(box size, title string, show func(float64) string, lines ...line) template.HTML {
	p := &plot{size: box}
	p.begin(title)
	var right, most float64
	for _, l := range lines {
		for _, pt := range l.points {
			right, most = max(right, pt.x), max(most, pt.y)
		}
	}
	y := p.scaleY(most, show)
	x := func(v float64) float64 { return marginLeft + p.innerWidth()*v/max(right, 1e-9) }
	for i := range 6 {
		v := right * float64(i) / 5
		p.text("tick", "middle", x(v), p.height-10, clockOf(v, right))
	}
	at := p.width - marginRight
	for _, l := range lines {
		p.series(l, x, y)
		at -= float64(len(l.name))*7 + 30
		p.add(`<rect class="fill-%s" x="%.1f" y="6" width="10" height="10" rx="2"/>`, l.class, at)
		p.text("legend", "start", at+15, 15, l.name)
	}
	return p.end()
}

// series draws one line, over its area if it is filled.
func (p *plot) series(l line, x, y func(float64) float64) {
	if len(l.points) == 0 {
		return
	}
	var path strings.Builder
	for i, pt := range l.points {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], x(pt.x), y(pt.y))
	}
	if l.filled {
		first, last := l.points[0], l.points[len(l.points)-1]
		p.add(`<path class="area-%s" d="%sL%.1f %.1fL%.1f %.1fZ"/>`, l.class, path.String(), x(last.x), y(0), x(first.x), y(0))
	}
	p.add(`<path class="line-%s" d="%s"/>`, l.class, path.String())
}

// clockOf shows seconds since the first reminder was due, on an axis up to
// right.
func clockOf(s, right float64) string {
	if right < 120 {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%d:%02d", int(s)/60, int(s)%60)
}
