// Package httpapi turns HTTP requests into the engine's commands and their
// replies into JSON. It parses, validates, authorizes, and maps every error
// to one problem document; it decides nothing about reminders. What it needs
// from the rest is in Backend; cmd/carillon wires it.
package httpapi
