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

// Bounds of the delay that an answer may ask for. A maintenance page must not delay people for a day. A 429 may, but a reset
// in years comes from a wrong clock.
const (
	maxOutageDelay = 5 * time.Minute
	maxDelay       = 24 * time.Hour
)

// classify names a failure of Didit. Whether a failure is final is the workflow's decision: its retry policies list
// the types. The cause is written to history; a didit.APIError holds no request or response body.
func classify(err error) error {
	kind := errorType(err)
	if e, ok := errors.AsType[*didit.APIError](err); ok {
		return failure(e.Cause().Advice(), kind, err)
	}
	return failure(kyc.Hint(kind), kind, err)
}

// classifyAction is classify for what an operator asked for: a rejection is not about settings, so it quotes Didit.
func classifyAction(what string, err error) error {
	if err == nil {
		return nil
	}
	kind := errorType(err)
	why := kyc.Hint(kind)
	if kind == kyc.ErrorTypeRejected {
		why = err.Error()
	}
	return failure("cannot "+what+": "+why, kind, err)
}

// unlessGone drops a 404 of Didit: what is to be deleted is gone already.
func unlessGone(err error) error {
	if e, ok := errors.AsType[*didit.APIError](err); ok && e.StatusCode == http.StatusNotFound {
		return nil
	}
	return err
}

// failure keeps a 429 out of alarms and counts: waiting in the queue is not failing.
func failure(message, kind string, cause error) error {
	o := temporal.ApplicationErrorOptions{Cause: cause, NextRetryDelay: nextTry(cause)}
	if kind == kyc.ErrorTypeRateLimited {
		o.Category = temporal.ApplicationErrorCategoryBenign
	}
	return temporal.NewApplicationErrorWithOptions(message, kind, o)
}

// errorType names a failure.
func errorType(err error) string {
	if e, ok := errors.AsType[*didit.APIError](err); ok {
		return cmp.Or(errorTypes[e.Cause()], kyc.ErrorTypeRejected)
	}
	if errors.Is(err, didit.ErrInvalidArgument) {
		return kyc.ErrorTypeRejected
	}
	return kyc.ErrorTypeUnavailable
}

// errorTypes lists the causes that are no mere rejection. A 404 that is not Didit's is a rejection: it does not mean that the
// session is gone.
var errorTypes = map[didit.Cause]string{
	didit.CauseUnavailable: kyc.ErrorTypeUnavailable,
	didit.CauseLimit:       kyc.ErrorTypeRateLimited,
	didit.CauseCredit:      kyc.ErrorTypeOutOfCredit,
	didit.CauseKey:         kyc.ErrorTypeUnauthorized,
	didit.CausePermission:  kyc.ErrorTypeUnauthorized,
	didit.CauseNotFound:    kyc.ErrorTypeNotFound,
}

// nextTry is max(Retry-After, reset) and up to a tenth more, so that calls which were refused together are not retried
// together. Zero leaves it to the retry policy.
func nextTry(err error) time.Duration {
	e, ok := errors.AsType[*didit.APIError](err)
	if !ok {
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
