package didit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of a call. An answer beyond them is an error, never a bigger buffer.
const (
	defaultTimeout = 10 * time.Second
	maxAnswer      = 4 << 20   // a decision with all its blocks
	maxErrorAnswer = 64 << 10  // an explanation
	maxDrain       = 256 << 10 // what we read on, unseen, to keep a connection
	userAgent      = "didit-temporal/1.0 (Go)"
)

// ClientOptions configures a Client.
type ClientOptions struct {
	// BaseURL is an absolute http(s) URL, with a path prefix if there is a proxy in front of Didit. Default DefaultBaseURL.
	BaseURL string
	// APIKey of the Didit application. Required. It is sent to BaseURL and to nobody else.
	APIKey string
	// HTTPClient lends its Transport and nothing else: its redirect policy, cookies and Timeout are not used.
	// Nil gives a transport that keeps enough idle connections for a busy worker.
	HTTPClient *http.Client
	// Wrap, if given, goes around the transport, to count and time the calls. It must not keep the request: the API key
	// is in its headers.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Timeout of one call, within the deadline of its context. Default 10 s.
	Timeout time.Duration
}

// Client calls Didit's API. It never tries twice (the caller's engine does), never follows a redirect (the API key
// must not travel) and reads answers up to a bound. It is safe for concurrent use; make one and keep it.
type Client struct {
	base      string // without a slash at the end
	key       string
	timeout   time.Duration
	transport http.RoundTripper
	now       func() time.Time
}

// NewClient checks the options and returns a Client. It calls nobody.
func NewClient(o ClientOptions) (*Client, error) {
	if o.APIKey == "" {
		return nil, errors.New("didit: no API key")
	}
	if !isPrintable(o.APIKey) {
		return nil, errors.New("didit: the API key holds a space, a line break or another character that no key has")
	}
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	return newClient(o)
}

// isPrintable wants what a header can carry.
func isPrintable(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// newClient does without a key.
func newClient(o ClientOptions) (*Client, error) {
	if o.Timeout < 0 {
		return nil, errors.New("didit: the timeout is negative")
	}
	if err := checkBaseURL(o.BaseURL); err != nil {
		return nil, err
	}
	c := &Client{base: strings.TrimRight(o.BaseURL, "/"), key: o.APIKey, timeout: o.Timeout, now: time.Now}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	switch {
	case o.HTTPClient == nil:
		c.transport = newTransport()
	case o.HTTPClient.Transport == nil:
		c.transport = http.DefaultTransport
	default:
		c.transport = o.HTTPClient.Transport
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

// newTransport differs from the default one in the idle connections it keeps per host: the default of 2 would make
// a worker with 64 concurrent calls open new connections all the time.
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

// call is one request to Didit.
type call struct {
	op      string // for errors, such as "create session"
	method  string
	path    string // from /v3 on, escaped, with its trailing slash
	query   url.Values
	body    any   // nil for none
	success []int // the status codes that mean done
	payload []byte
	open    bool     // needs no key, and gets none
	bearer  string   // an access token of the account API
	hide    []string // further strings that an error must not quote
}

// do sends k once and returns the body of a success.
func (c *Client) do(ctx context.Context, k call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(ctx, &k)
	if err != nil {
		return nil, err
	}
	// A RoundTripper, not an http.Client: it follows no redirect, and its errors do not quote the URL, whose query
	// holds vendor_data.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, failed(ctx, k.op, err)
	}
	defer func() {
		drain(resp.Body)
		_ = resp.Body.Close()
	}()
	switch {
	case slices.Contains(k.success, resp.StatusCode):
		return readAnswer(ctx, k.op, resp.Body)
	case resp.StatusCode/100 == 2:
		return nil, badResponse(k.op, fmt.Sprintf("status %d is not documented", resp.StatusCode))
	}
	return nil, c.apiError(k, resp)
}

func (c *Client) request(ctx context.Context, k *call) (*http.Request, error) {
	var body io.Reader
	if k.body != nil {
		var err error
		if k.payload, err = json.Marshal(k.body); err != nil {
			return nil, fmt.Errorf("%w: %s: the request is not JSON: %w", ErrInvalidArgument, k.op, err)
		}
		body = bytes.NewReader(k.payload)
	}
	target := c.base + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalidArgument, k.op, withoutURL(err))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if c.key != "" && !k.open {
		req.Header.Set("x-api-key", c.key)
	}
	if k.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+k.bearer)
	}
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// failed names the call, and makes sure that a call ended by its context says so: the transport reports the cause
// that whoever cancelled gave.
func failed(ctx context.Context, op string, err error) error {
	err = withoutURL(err)
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("didit: %s: %w: %w", op, ended, err)
	}
	return fmt.Errorf("didit: %s: %w", op, err)
}

// withoutURL takes the URL out of a transport's error and leaves what it wraps, such as a context's error.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

func readAnswer(ctx context.Context, op string, r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return nil, failed(ctx, op, fmt.Errorf("reading the answer: %w", err))
	}
	if len(b) > maxAnswer {
		return nil, badResponse(op, fmt.Sprintf("larger than %d bytes", maxAnswer))
	}
	return b, nil
}

// drain reads a little on, so that the connection can serve the next call.
func drain(r io.Reader) { _, _ = io.CopyN(io.Discard, r, maxDrain) }
