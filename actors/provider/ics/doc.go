// Package ics reads iCalendar files and feeds (RFC 5545): what a calendar of
// people really says of a window of time, as calendar events of the engine.
//
// Recurrences are expanded into instances, with what was excluded, added, moved
// and cancelled (C5). An instance's id names the instant that the rule gave it,
// so that one that is moved stays the same event.
//
// A feed is other people's text. Bad lines and events are left out by
// themselves and told, never the whole feed for one of them; and size, nesting,
// instances and the work of rules are bounded, so that a hostile one costs what
// a large one costs.
package ics
