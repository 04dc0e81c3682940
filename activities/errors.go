package activities

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/http"
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
	return temporal.NewApplicationErrorWithOptions(advice(kind, err), kind, temporal.ApplicationErrorOptions{
		Cause: err, NextRetryDelay: nextTry(err), Details: a.refusal(), Category: category(kind),
	})
}

// category keeps a 429 out of alarms and counts: waiting for a turn is not failing.
func category(kind string) temporal.ApplicationErrorCategory {
	if kind == kyc.ErrorTypeRateLimited {
		return temporal.ApplicationErrorCategoryBenign
	}
	return temporal.ApplicationErrorCategoryUnspecified
}

// Refusal is in the details of a failure of Didit where it says anything.
type Refusal struct {
	// Results is as in Terms: a verification that Didit refuses a session has no Terms.
	Results bool `json:"results,omitempty"`
}

func (a *Activities) refusal() []any {
	if a.Receiver == nil {
		return nil
	}
	return []any{Refusal{Results: true}}
}

// classifyCreate is classify for the one call that costs money: an unclear answer may have made a session, so Temporal
// must not simply send the call again.
func (a *Activities) classifyCreate(err error) error {
	if !unclear(err) {
		return a.classify(err)
	}
	return temporal.NewApplicationErrorWithOptions("no clear answer from Didit: a session may have been made", kyc.ErrorTypeUnavailable,
		temporal.ApplicationErrorOptions{Cause: err, NonRetryable: true, Details: a.refusal()})
}

// unclear reports whether the call may have had its effect (docs.didit.me/integration/api-errors: 429 and 503 did
// nothing, nor did a 4xx; of all else Didit says to list the sessions first).
func unclear(err error) bool {
	var api *didit.APIError
	switch {
	case errors.Is(err, didit.ErrInvalidArgument): // never sent
		return false
	case !errors.As(err, &api): // no answer, or one that makes no sense
		return true
	}
	return api.StatusCode >= http.StatusInternalServerError && api.StatusCode != http.StatusServiceUnavailable ||
		api.StatusCode == http.StatusRequestTimeout
}

// errorType names a failure.
func errorType(err error) string {
	var e *didit.APIError
	switch {
	case errors.Is(err, didit.ErrInvalidArgument):
		return kyc.ErrorTypeRejected
	case !errors.As(err, &e):
		return kyc.ErrorTypeUnavailable
	}
	return cmp.Or(errorTypes[e.Cause()], kyc.ErrorTypeRejected)
}

// advice says what to do about a failure of the kind.
func advice(kind string, err error) string {
	if e, ok := errors.AsType[*didit.APIError](err); ok {
		return e.Cause().Advice()
	}
	return kyc.Hint(kind)
}

// errorTypes has the causes that are more than a rejection. A 404 that is not Didit's is one: it must not be taken for
// the news that a session is gone.
var errorTypes = map[didit.Cause]string{
	didit.CauseUnavailable: kyc.ErrorTypeUnavailable,
	didit.CauseLimit:       kyc.ErrorTypeRateLimited,
	didit.CauseCredit:      kyc.ErrorTypeOutOfCredit,
	didit.CauseKey:         kyc.ErrorTypeUnauthorized,
	didit.CausePermission:  kyc.ErrorTypeUnauthorized,
	didit.CauseNotFound:    kyc.ErrorTypeNotFound,
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
