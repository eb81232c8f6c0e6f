// Package llm writes texts with a language model behind any endpoint that
// speaks OpenAI's chat completions: DeepSeek by default, OpenRouter and others
// by settings. docs/composer.md tells how it is used.
//
// One Compose is at most one request: nothing is repeated, for that could be
// billed twice, and the template is always there. The key goes to the endpoint
// and nowhere else: redirects are not followed, and no error holds a body.
package llm
