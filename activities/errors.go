package activities

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Bounds of what an answer may ask for. A maintenance page must not park people for a day; a 429 is believed, but not a
// reset in years, of a clock that is wrong.
const (
	maxOutageDelay = 5 * time.Minute
	maxDelay       = 24 * time.Hour
)

// classify names a failure of Didit. Whether a failure is final is the workflow's decision: its retry policies list
// the types. The cause is written to history; a didit.APIError holds no request or response body.
func (a *Activities) classify(err error) error {
	kind := errorType(err)
	return temporal.NewApplicationErrorWithOptions(kyc.Hint(kind), kind, temporal.ApplicationErrorOptions{
		Cause: err, NextRetryDelay: nextTry(err), Category: category(kind),
	})
}

// category keeps a 429 out of alarms and counts: waiting in the queue is not failing.
func category(kind string) temporal.ApplicationErrorCategory {
	if kind == kyc.ErrorTypeRateLimited {
		return temporal.ApplicationErrorCategoryBenign
	}
	return temporal.ApplicationErrorCategoryUnspecified
}

// errorType follows docs.didit.me/integration/api-errors: branch on the status, then on the code.
func errorType(err error) string {
	var e *didit.APIError
	if errors.Is(err, didit.ErrInvalidArgument) {
		return kyc.ErrorTypeRejected
	}
	if !errors.As(err, &e) {
		return kyc.ErrorTypeUnavailable
	}
	switch {
	case e.StatusCode == http.StatusTooManyRequests:
		return kyc.ErrorTypeRateLimited
	case e.StatusCode >= http.StatusInternalServerError, e.StatusCode == http.StatusRequestTimeout, e.StatusCode == http.StatusTooEarly:
		return kyc.ErrorTypeUnavailable
	case e.StatusCode == http.StatusPaymentRequired, saysNoCredit(e.Code):
		return kyc.ErrorTypeOutOfCredit
	case e.StatusCode == http.StatusUnauthorized, e.StatusCode == http.StatusForbidden:
		return kyc.ErrorTypeUnauthorized
	case e.StatusCode == http.StatusNotFound:
		return kyc.ErrorTypeNotFound
	}
	return kyc.ErrorTypeRejected
}

// nextTry is max(Retry-After, reset) and up to a tenth more, so that calls which were refused together do not come
// back together. Zero leaves it to the retry policy.
func nextTry(err error) time.Duration {
	var e *didit.APIError
	if !errors.As(err, &e) {
		return 0
	}
	delay := e.RetryAfter
	if !e.Reset.IsZero() {
		delay = min(max(delay, time.Until(e.Reset)), maxDelay)
	}
	if e.StatusCode != http.StatusTooManyRequests {
		delay = min(delay, maxOutageDelay)
	}
	if delay <= 0 {
		return 0
	}
	return delay + time.Duration(rand.Int64N(int64(delay)/10+1))
}

// saysNoCredit knows a low balance by its code: each family of Didit's API reports it with another status.
func saysNoCredit(code string) bool {
	for _, word := range []string{"credit", "balance", "billing", "payment"} {
		if strings.Contains(strings.ToLower(code), word) {
			return true
		}
	}
	return false
}
