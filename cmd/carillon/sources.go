package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// sources returns where settings come from besides flags: the YAML file, and
// then the environment, which wins over it.
func (p *program) sources(args []string) ([]kong.Resolver, error) {
	path := configPath(args)
	if path == "" {
		path, _ = p.lookup("CARILLON_CONFIG")
	}
	file := &yamlSource{}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
		if err := yaml.Unmarshal(text, &file.values); err != nil {
			return nil, fmt.Errorf("config: %s: %w", path, err)
		}
		file.path = path
	}
	return []kong.Resolver{file, envSource{p.lookup}}, nil
}

// configPath finds --config, which has to be known before the rest is read.
func configPath(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// variable is the environment's name of a flag.
func variable(flag *kong.Flag) string {
	if v := flag.Tag.Get("variable"); v != "" {
		return v
	}
	return "CARILLON_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
}

func key(flag *kong.Flag) string { return strings.ReplaceAll(flag.Name, "-", "_") }

// isSetting reports the flags that are settings: the others belong to one
// command line.
func isSetting(flag *kong.Flag) bool { return flag.Group != nil && flag.Group.Key == "settings" }

type envSource struct {
	lookup func(string) (string, bool)
}

// Validate implements kong.Resolver.
func (envSource) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. An empty variable is as good as none.
func (s envSource) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) {
		return nil, nil
	}
	if v, ok := s.lookup(variable(flag)); ok && v != "" {
		return v, nil
	}
	return nil, nil
}

type yamlSource struct {
	path   string
	values map[string]yaml.Node
}

// Validate implements kong.Resolver: a key that no setting has stops the start.
func (s *yamlSource) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, f := range settingFlags(app) {
		known[key(f)] = true
	}
	var unknown []string
	for k := range s.values {
		if !known[k] {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	for _, name := range secretNames {
		if strings.EqualFold(unknown[0], name) || strings.EqualFold("CARILLON_"+unknown[0], name) {
			return fmt.Errorf("config: %s: %s is a secret: it comes from %s or %s_FILE, not from this file", s.path, unknown[0], name, name)
		}
	}
	return fmt.Errorf("config: %s: unknown setting %s", s.path, unknown[0])
}

// Resolve implements kong.Resolver. A value is taken as it is written: to YAML
// +15005550006 is a number, which would lose its plus.
func (s *yamlSource) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := s.values[key(flag)]
	if !ok || !isSetting(flag) {
		return nil, nil
	}
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		return nil, fmt.Errorf("config: %s: %s needs a plain value", s.path, key(flag))
	}
	return v.Value, nil
}

// settingFlags lists every setting once.
func settingFlags(app *kong.Application) []*kong.Flag {
	var out []*kong.Flag
	seen := map[string]bool{}
	for _, cmd := range app.Leaves(true) {
		for _, f := range cmd.Flags {
			if isSetting(f) && !seen[f.Name] {
				seen[f.Name] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// blame adds the variable to an error about a flag that nobody typed.
func (p *program) blame(err error) error {
	_, name, found := strings.Cut(err.Error(), "--")
	if !found {
		return err
	}
	if end := strings.IndexFunc(name, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') }); end >= 0 {
		name = name[:end]
	}
	v := "CARILLON_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if set, ok := p.lookup(v); ok && set != "" {
		return fmt.Errorf("%w (%s)", err, v)
	}
	return err
}

// warnUnknown tells of variables with our prefix that no setting has: most
// likely a mistyped one.
func (p *program) warnUnknown(parser *kong.Kong) {
	known := map[string]bool{"CARILLON_CONFIG": true}
	for _, f := range settingFlags(parser.Model) {
		known[variable(f)] = true
	}
	for _, s := range secretNames {
		known[s], known[s+"_FILE"] = true, true
	}
	for _, pair := range p.environ {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "CARILLON_") && !known[name] {
			_, _ = fmt.Fprintf(p.stderr, "carillon: warning: %s is no setting of this version and is ignored\n", name)
		}
	}
}

// Secrets come from the environment or from a file named there, never from
// flags or the YAML file.
const (
	secretAPIKey      = "CARILLON_API_KEY"
	secretTwilio      = "TWILIO_AUTH_TOKEN"
	secretLLM         = "CARILLON_LLM_API_KEY"
	secretTwilioOther = "TWILIO_AUTH_TOKEN_SECONDARY"
	secretHTTPHeaders = "CARILLON_HTTP_CARRIER_HEADERS"
	secretWebhook     = "CARILLON_WEBHOOK_SECRET"
	secretWebhookNext = "CARILLON_WEBHOOK_SECRET_SECONDARY"
	secretCalendar    = "CARILLON_CALENDAR_WEBHOOK_SECRET"
	secretGoogle      = "CARILLON_GOOGLE_CLIENT_SECRET"
)

var secretNames = []string{secretAPIKey, secretTwilio, secretTwilioOther, secretHTTPHeaders, secretLLM, secretWebhook, secretWebhookNext, secretCalendar, secretGoogle}

// secretHelp is what docs/settings.md says of each.
var secretHelp = map[string]string{
	secretAPIKey:      "An API key with the role admin.",
	secretTwilio:      "Twilio's auth token: requests, and the signatures of webhooks.",
	secretLLM:         "The key of the language model's endpoint; the composer llm needs it.",
	secretTwilioOther: "A second token whose signatures are accepted, while one is being rotated.",
	secretHTTPHeaders: "Headers of every request of the carrier http, a line each: `Authorization: Bearer …`. They may hold {message_id}.",
	secretWebhook:     "Signs what is posted to outbound_url (docs/webhooks.md): `whsec_` and the base64 of 24 to 64 random bytes.",
	secretWebhookNext: "A second secret that signs and is accepted as well, while one is being rotated.",
	secretGoogle:      "The secret of google_client_id.",
	secretCalendar:    "Signs what is posted to `/webhooks/calendar`; without it that is CARILLON_WEBHOOK_SECRET's part too.",
}

// secret reads one; empty if there is none. Errors never hold it.
func (p *program) secret(name string) (string, error) {
	v, _ := p.lookup(name)
	path, _ := p.lookup(name + "_FILE")
	switch {
	case v != "" && path != "":
		return "", usageError{fmt.Errorf("%s and %s_FILE are both set", name, name)}
	case path == "":
		return v, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", usageError{fmt.Errorf("%s_FILE: %w", name, err)}
	}
	if v = strings.TrimSpace(string(text)); v == "" {
		return "", usageError{fmt.Errorf("%s_FILE: %s is empty", name, path)}
	}
	return v, nil
}
