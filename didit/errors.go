package didit

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// ErrBadResponse means that Didit, or something between us, answered with success and a body that we cannot use.
// Whether the call took effect is unclear.
var ErrBadResponse = errors.New("didit: bad response")

// ErrInvalidArgument means that an argument cannot be right. Nothing was sent.
var ErrInvalidArgument = errors.New("didit: invalid argument")

// APIError is a refusal by Didit: an answer whose status is not a success, a redirect included. After any other error of a
// call that was sent, it is unknown whether Didit did what the call asks for.
//
// Logs and a workflow's history may keep it: it holds no request and no response body.
type APIError struct {
	// Op is the call, such as "create session".
	Op string
	// StatusCode is the HTTP status. Both 401 and 403 mean "not with this key"
	// (https://docs.didit.me/integration/api-errors).
	StatusCode int
	// Code is Didit's own code, such as "contract_billing_suspended"; empty if Didit sent none. A part of it that is not in
	// our vocabulary shows as "…".
	Code string
	// Detail is Didit's explanation on one line of at most 200 characters: its "detail", or "field: reason" for each
	// field. It has statuses, codes and field names only: all other words, and every number, show as "…". So whatever
	// Didit writes about a person gets into no log and no history.
	Detail string
	// RetryAfter is the delay that Didit asks for, from the header Retry-After in either form; 0 if there is none, at most
	// a day (https://docs.didit.me/integration/rate-limiting).
	RetryAfter time.Duration
	// Reset is when the exhausted limit is free again, from X-RateLimit-Reset; zero if there is none.
	Reset time.Time
}

// Error shows the call, the status, the code and the detail.
func (e *APIError) Error() string {
	text := fmt.Sprintf("didit: %s: status %d", e.Op, e.StatusCode)
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func badResponse(op, why string) error { return fmt.Errorf("%w: %s: %s", ErrBadResponse, op, why) }

// apiError reads a refusal. A body that cannot be read changes nothing: the status is known.
func (c *Client) apiError(op string, resp *http.Response) *APIError {
	e := &APIError{
		Op: op, StatusCode: resp.StatusCode,
		RetryAfter: RetryAfter(resp.Header, c.now(), maxRetryAfter),
		Reset:      epoch(resp.Header.Get("X-RateLimit-Reset")),
	}
	if resp.StatusCode/100 == 3 {
		e.Detail = "redirect refused; check the base URL"
		return e
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorAnswer))
	e.Code, e.Detail = explain(body)
	return e
}

// maxRetryAfter bounds what we believe. A longer delay needs an operator.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads the header Retry-After, in seconds or as an HTTP date (RFC 9110, section 10.2.3). It returns the delay
// from now, from 0 to longest; 0 if the header is absent or is neither.
func RetryAfter(h http.Header, now time.Time, longest time.Duration) time.Duration {
	value := h.Get("Retry-After")
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(n, uint64(longest/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longest)
}

// epoch reads seconds since 1970. Any other value is zero.
func epoch(h string) time.Time {
	n, err := strconv.ParseInt(h, 10, 64)
	if err != nil || n <= 0 || n > math.MaxUint32 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
