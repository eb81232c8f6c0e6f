package twilio

import (
	"net/http"
	"net/url"
)

// UseProxy sends a client's requests through a proxy.
func UseProxy(c *Client, u *url.URL) {
	c.http.Transport.(*http.Transport).Proxy = http.ProxyURL(u)
}
