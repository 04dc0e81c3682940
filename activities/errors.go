package activities

import (
	"errors"
	"net/http"
	"strings"

	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// classify names a failure of Didit. Whether a failure is final is the workflow's decision: its retry policies list
// the types. The cause is written to history; a didit.APIError holds no request or response body.
func classify(err error) error {
	opt := temporal.ApplicationErrorOptions{Cause: err}
	var api *didit.APIError
	if errors.Is(err, didit.ErrInvalidArgument) { // nothing was sent
		return temporal.NewApplicationErrorWithOptions(kyc.Hint(kyc.ErrorTypeRejected), kyc.ErrorTypeRejected, opt)
	}
	if !errors.As(err, &api) {
		return temporal.NewApplicationErrorWithOptions("no usable answer from Didit", kyc.ErrorTypeUnavailable, opt)
	}
	kind := errorType(api)
	if kind == kyc.ErrorTypeRateLimited || kind == kyc.ErrorTypeUnavailable {
		opt.NextRetryDelay = api.RetryAfter // zero leaves it to the retry policy
	}
	return temporal.NewApplicationErrorWithOptions(kyc.Hint(kind), kind, opt)
}

// errorType follows docs.didit.me/integration/api-errors: branch on the status, then on the code.
func errorType(e *didit.APIError) string {
	switch {
	case e.StatusCode == http.StatusTooManyRequests:
		return kyc.ErrorTypeRateLimited
	case e.StatusCode >= http.StatusInternalServerError:
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

// saysNoCredit knows a low balance by its code: each family of Didit's API reports it with another status.
func saysNoCredit(code string) bool {
	for _, word := range []string{"credit", "balance", "billing", "payment"} {
		if strings.Contains(strings.ToLower(code), word) {
			return true
		}
	}
	return false
}
