package load

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

//go:embed report.tmpl.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"thousands": thousands, "ms": ms,
	"seconds": func(s float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", s), ".0") + " s" },
	"rate":    func(v float64) string { return thousands(int(v)) + "/s" },
	"dur":     func(s float64) string { return shortDuration(time.Duration(s * float64(time.Second))) },
}).Parse(page))

// shortDuration shows a spread as people say it.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	for short, long := range map[string]string{"h": " h", "m": " min", "s": " s"} {
		if n := strings.TrimSuffix(s, short); n != s && strings.Trim(n, "0123456789.") == "" {
			return n + long
		}
	}
	return s
}

// HTML writes the report as one page that needs nothing else.
func (rep *Report) HTML(w io.Writer) error {
	type class struct {
		Name  string
		Count int
	}
	var errs []class
	for _, name := range slices.Sorted(maps.Keys(rep.Errors)) {
		errs = append(errs, class{name, rep.Errors[name]})
	}
	return pageTemplate.Execute(w, struct {
		*Report
		Classes               []class
		Histogram, Flow, Late template.HTML
	}{rep, errs, rep.histogramPlot(), rep.flowPlot(), rep.latePlot()})
}

// histogramPlot counts texts by how late they were.
func (rep *Report) histogramPlot() template.HTML {
	buckets := rep.Lateness.Buckets
	first, last := 0, len(buckets)-1
	for last > 5 && buckets[last].Count == 0 {
		last--
	}
	for first < last-5 && buckets[first].Count == 0 {
		first++
	}
	bars := make([]bar, 0, last+1-first)
	for i := first; i <= last; i++ {
		b := buckets[i]
		share := ""
		if rep.Reminders.Arrived > 0 && b.Count > 0 {
			share = percent(float64(b.Count) / float64(rep.Reminders.Arrived))
		}
		bars = append(bars, bar{label: label(i), top: share, value: float64(b.Count), title: thousands(b.Count) + " texts " + label(i) + " late"})
	}
	return barPlot(wide, "Texts by lateness", bars)
}

// percent shows a share so that a little is not nothing.
func percent(v float64) string {
	switch p := v * 100; {
	case p >= 10:
		return fmt.Sprintf("%.0f %%", p)
	case p >= 0.1:
		return fmt.Sprintf("%.1f %%", p)
	default:
		return "< 0.1 %"
	}
}

// flowPlot shows what was due and what arrived, each second.
func (rep *Report) flowPlot() template.HTML {
	var due, arrived []point
	for _, s := range rep.Seconds {
		due, arrived = append(due, point{s.At, s.Due}), append(arrived, point{s.At, s.Arrived})
	}
	return linePlot(half, "Texts per second", func(v float64) string { return thousands(int(v)) },
		line{"arrived", "b", arrived, true}, line{"due", "a", due, false})
}

// latePlot shows how late the texts of each second were.
func (rep *Report) latePlot() template.HTML {
	var mid, high []point
	for _, s := range rep.Seconds {
		if s.Max > 0 || s.P50 > 0 { // some of its texts came
			mid, high = append(mid, point{s.At, s.P50}), append(high, point{s.At, s.P99})
		}
	}
	return linePlot(half, "Lateness over the run", ms, line{"p99", "c", high, true}, line{"p50", "a", mid, false})
}
