package didit

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrBadResponse means that Didit, or something between us, answered with success and a body that we cannot use.
// Whether the call took effect is unclear.
var ErrBadResponse = errors.New("didit: bad response")

// ErrInvalidArgument means that nothing was sent, because an argument could not be right.
var ErrInvalidArgument = errors.New("didit: invalid argument")

// APIError is Didit's refusal: an answer whose status is not a success, a redirect included. Any other error of a call
// that was sent leaves open whether Didit did what it was asked.
//
// It is made to be logged and to be kept in a workflow's history, so it holds no request and no response body.
type APIError struct {
	// Op is the call, such as "create session".
	Op string
	// StatusCode is the HTTP status. Didit means 401 and 403 alike as "not with this key"
	// (https://docs.didit.me/integration/api-errors).
	StatusCode int
	// Code is Didit's own code where it sends one, such as "contract_billing_suspended"; a part of it that is no word of our
	// vocabulary shows as "…".
	Code string
	// Detail is Didit's explanation on one line of at most 200 characters: its "detail", or "field: reason" for each
	// field it complains about. Strings that were sent with the call and come back in it are masked as "[sent]", and of
	// the rest only the words of a fixed vocabulary are kept: all other words, and every number, show as "…". So nothing
	// about a person can get from here into a log or a history, whatever Didit writes.
	Detail string
	// RetryAfter is how long Didit asks us to wait, from the header Retry-After in either form; 0 if it did not
	// say, at most a day (https://docs.didit.me/integration/rate-limiting).
	RetryAfter time.Duration
	// Reset is when the exhausted limit is free again, from X-RateLimit-Reset; zero if Didit did not say.
	Reset time.Time
}

// Error tells the call, the status, the code and the detail.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "didit: %s: status %d", e.Op, e.StatusCode)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	return b.String()
}

func badResponse(op, why string) error { return fmt.Errorf("%w: %s: %s", ErrBadResponse, op, why) }

// apiError reads a refusal. A body that cannot be read changes nothing: the status is known.
func (c *Client) apiError(k call, resp *http.Response) *APIError {
	e := &APIError{
		Op: k.op, StatusCode: resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.now()),
		Reset:      epoch(resp.Header.Get("X-RateLimit-Reset")),
	}
	if resp.StatusCode/100 == 3 {
		e.Detail = "redirect refused; check the base URL"
		return e
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorAnswer))
	e.Code, e.Detail = explain(body, newMask(c.key, k))
	return e
}

// maxRetryAfter bounds what we believe. A longer wait is better decided by people.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads seconds or an HTTP date (RFC 9110, section 10.2.3).
func retryAfter(h string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(h, 10, 64); err == nil {
		if n > uint64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(n) * time.Second
	}
	t, err := http.ParseTime(h)
	if err != nil {
		return 0
	}
	return min(max(t.Sub(now), 0), maxRetryAfter)
}

// epoch reads seconds since 1970; whatever is not, or would be no date, is zero.
func epoch(h string) time.Time {
	n, err := strconv.ParseInt(h, 10, 64)
	if err != nil || n <= 0 || n > math.MaxUint32 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
