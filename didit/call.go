package didit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is one request to Didit.
type call struct {
	op      string   // for errors, such as "create session"
	method  string   // empty is GET
	path    string   // from /v3 on, with its trailing slash; each %s stands for one of ids
	ids     []string // of sessions, destinations and the like
	query   url.Values
	body    any    // nil for none
	success []int  // the status codes that mean done; nil is 200 alone
	bearer  string // an access token of the account API
	noKey   bool   // the call sends no API key
	invalid string // why an argument cannot be right; empty if nothing is wrong
}

// send makes a call and decodes its answer into a T. A call that may be answered with 204 may have no body.
func send[T any](ctx context.Context, c *Client, k call) (v T, err error) {
	body, err := c.do(ctx, k)
	none := len(body) == 0 && slices.Contains(k.success, http.StatusNoContent)
	if err == nil && !none {
		err = decode(k.op, body, &v)
	}
	return v, err
}

// do sends k once and returns the body of a success.
func (c *Client) do(ctx context.Context, k call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(ctx, k)
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
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // so that the connection can serve the next call
		_ = resp.Body.Close()
	}()
	switch {
	case resp.StatusCode == http.StatusOK && k.success == nil, slices.Contains(k.success, resp.StatusCode):
		return readAnswer(ctx, k.op, resp.Body)
	case resp.StatusCode/100 == 2:
		return nil, badResponse(k.op, fmt.Sprintf("status %d is not documented", resp.StatusCode))
	}
	return nil, c.apiError(k.op, resp)
}

// request refuses, before any call, what cannot be right, such as an id that leads to another path.
func (c *Client) request(ctx context.Context, k call) (*http.Request, error) {
	path := k.path
	for _, id := range k.ids {
		if !isToken(id) {
			k.invalid = "not an id of Didit"
		}
		path = strings.Replace(path, "%s", id, 1)
	}
	if k.invalid != "" {
		return nil, fmt.Errorf("%w: %s: %s", ErrInvalidArgument, k.op, k.invalid)
	}
	target := c.base + path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	var payload []byte
	if k.body != nil {
		var err error
		if payload, err = json.Marshal(k.body); err != nil {
			return nil, fmt.Errorf("%w: %s: the request is not JSON: %w", ErrInvalidArgument, k.op, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalidArgument, k.op, withoutURL(err))
	}
	c.setHeaders(req.Header, k)
	return req, nil
}

func (c *Client) setHeaders(h http.Header, k call) {
	h.Set("Accept", "application/json")
	h.Set("User-Agent", userAgent)
	if c.key != "" && !k.noKey {
		h.Set("x-api-key", c.key)
	}
	if k.bearer != "" {
		h.Set("Authorization", "Bearer "+k.bearer)
	}
	if k.body != nil {
		h.Set("Content-Type", "application/json")
	}
}

// failed names the call. The error of a call that its context ended wraps the context's error too: the transport reports
// only the cause that the cancellation gave.
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
