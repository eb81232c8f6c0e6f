package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "rewrite the documents that are made from the code")

const settingsDoc = "../../docs/settings.md"

// TestSettingsAreDocumented holds docs/settings.md to the flags of serve.
func TestSettingsAreDocumented(t *testing.T) {
	want := settingsTable(t)
	if *update {
		if err := os.WriteFile(settingsDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(settingsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/settings.md differs from the settings: go test ./cmd/carillon -run Settings -update, and read the diff")
	}
}

// TestFileIsTakenAsWritten: YAML's numbers lose their plus, and its words can be
// true or a date.
func TestFileIsTakenAsWritten(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/carillon.yaml"
	want := map[string]string{
		"twilio-from": "+15005550006", "max-log-bytes": "010", "sender-mps": "2.50", "answer-keywords": "yes",
		"http-carrier-absent": "404", "http-carrier-body": "a: b",
	}
	text := "twilio_from: +15005550006\nmax_log_bytes: 010\nsender_mps: 2.50\nanswer_keywords: yes\nhttp_carrier_absent: 404\nhttp_carrier_body: 'a: b'\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{lookup: func(string) (string, bool) { return "", false }}
	from, err := p.sources([]string{"--config", path})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range want {
		flag := &kong.Flag{Value: &kong.Value{Name: name}, Group: &kong.Group{Key: "settings"}}
		if got, err := from[0].Resolve(nil, nil, flag); err != nil || got != value {
			t.Errorf("%s is %v (%v), want %s", name, got, err, value)
		}
	}
}

func settingsTable(t *testing.T) string {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Name("carillon"), vars, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString(`# Settings

Every setting is a flag, an environment variable and a key of the YAML file that ` + "`--config`" + ` or
` + "`CARILLON_CONFIG`" + ` names; the first that is given wins, in this order. An unknown key, a bad value or a missing
secret stops the start with one line that names it. A variable that begins with CARILLON_ and is no setting, a mistyped
one perhaps, is told on standard error and ignored. This table is made from the code
(` + "`go test ./cmd/carillon -run Settings -update`" + `).

| flag | variable | key | default | what |
|---|---|---|---|---|
`)
	for _, f := range settingFlags(parser.Model) {
		help := f.Help
		if f.Enum != "" {
			help = strings.ReplaceAll(help, "${enum}", strings.ReplaceAll(f.Enum, ",", ", "))
		}
		fmt.Fprintf(&out, "| `--%s` | `%s` | `%s` | %s | %s |\n", f.Name, variable(f), key(f), code(f.Default), help)
	}
	out.WriteString(`
## Secrets

Secrets come from the environment, or from a file that the variable with ` + "`_FILE`" + ` behind it names. They are never
flags or keys of the file, and never logged.

| variable | what |
|---|---|
`)
	for _, s := range secretNames {
		fmt.Fprintf(&out, "| `%s`, `%s_FILE` | %s |\n", s, s, secretHelp[s])
	}
	return out.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
