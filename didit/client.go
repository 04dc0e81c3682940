package didit

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of a call. An answer beyond them is an error, never a bigger buffer.
const (
	defaultTimeout = 10 * time.Second
	maxAnswer      = 4 << 20   // a decision with all its blocks
	maxErrorAnswer = 64 << 10  // an explanation
	maxDrain       = 256 << 10 // what we read and discard to keep a connection
	userAgent      = "didit-temporal/1.0 (Go)"
)

// ClientOptions configures a Client.
type ClientOptions struct {
	// BaseURL is an absolute http(s) URL, with a path prefix if there is a proxy in front of Didit. Default DefaultBaseURL.
	BaseURL string
	// APIKey of the Didit application. Required. It is sent to BaseURL only.
	APIKey string
	// HTTPClient supplies its Transport only: its redirect policy, cookies and Timeout are not used.
	// Nil creates a transport that keeps enough idle connections for a busy worker.
	HTTPClient *http.Client
	// Wrap, if set, wraps the transport, to count and time the calls. It must not keep the request, whose headers hold
	// the API key.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Timeout of one call, within the deadline of its context. Default 10 s.
	Timeout time.Duration
}

// Client calls Didit's API. It does not retry (the workflow engine does), follows no redirect (the API key must not leave
// BaseURL) and bounds the size of answers. It is safe for concurrent use; create one and keep it.
type Client struct {
	base      string // without a slash at the end
	key       string
	timeout   time.Duration
	transport http.RoundTripper
	now       func() time.Time
}

// NewClient checks the options and returns a Client. It makes no call.
func NewClient(o ClientOptions) (*Client, error) {
	if o.APIKey == "" {
		return nil, errors.New("didit: no API key")
	}
	if !isPrintable(o.APIKey) {
		return nil, errors.New("didit: the API key contains a space, a line break or another invalid character")
	}
	o.BaseURL = cmp.Or(o.BaseURL, DefaultBaseURL)
	return newClient(o)
}

// isPrintable reports whether a header can carry the key.
func isPrintable(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// newClient needs no key.
func newClient(o ClientOptions) (*Client, error) {
	if o.Timeout < 0 {
		return nil, errors.New("didit: the timeout is negative")
	}
	if err := checkBaseURL(o.BaseURL); err != nil {
		return nil, err
	}
	c := &Client{
		base: strings.TrimRight(o.BaseURL, "/"), key: o.APIKey, timeout: cmp.Or(o.Timeout, defaultTimeout),
		transport: newTransport(), now: time.Now,
	}
	if o.HTTPClient != nil {
		c.transport = cmp.Or(o.HTTPClient.Transport, http.DefaultTransport)
	}
	if o.Wrap != nil {
		c.transport = o.Wrap(c.transport)
	}
	return c, nil
}

// checkBaseURL never repeats the URL: a wrong one may hold a password.
func checkBaseURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return errors.New("didit: the base URL is not an absolute http or https URL")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return errors.New("didit: the base URL must have no user, query or fragment")
	}
	return nil
}

// newTransport keeps more idle connections per host than the default of 2, with which a worker of 64 concurrent calls
// opens new connections all the time.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
