package activities

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// checkAnswer interprets the endpoint's answer (https://www.standardwebhooks.com: 2xx took it, 410 wants no more). A
// redirect is not followed: it could lead a signed message anywhere.
func checkAnswer(res *http.Response, info activity.Info) error {
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusGone:
		return temporal.NewNonRetryableApplicationError("the callback endpoint answered 410", kyc.ErrorTypeCallbackGone, nil)
	case res.StatusCode/100 == 3:
		return temporal.NewApplicationError(fmt.Sprintf("the callback endpoint answered %d, and redirects are not followed: "+
			"set RESULT_URL to its target", res.StatusCode), kyc.ErrorTypeCallbackFailed)
	}
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("the callback endpoint answered %d", res.StatusCode),
		kyc.ErrorTypeCallbackFailed, temporal.ApplicationErrorOptions{
			NextRetryDelay: longer(didit.RetryAfter(res.Header, time.Now(), maxResultDelay), info),
		})
}

// longer is the delay that the endpoint asked for if the retry policy would retry sooner; zero leaves it to the policy.
// Otherwise an endpoint that always answers "in a second" would get a callback every second for three days.
func longer(asked time.Duration, info activity.Info) time.Duration {
	if info.RetryPolicy == nil {
		return asked
	}
	own := float64(info.RetryPolicy.InitialInterval)
	for range min(info.Attempt-1, 64) {
		own *= info.RetryPolicy.BackoffCoefficient
	}
	if longest := float64(info.RetryPolicy.MaximumInterval); longest > 0 {
		own = min(own, longest)
	}
	if float64(asked) <= own {
		return 0
	}
	return asked
}

// whyUnreachable describes a failed request in fixed words: a transport's error may quote the URL's host, or the answer of
// something that does not speak HTTP.
func whyUnreachable(ctx context.Context, err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("no answer within %s", resultTimeout)
	case errors.As(err, &name):
		return "its name cannot be resolved"
	case errors.As(err, &certificate):
		return "its TLS certificate does not verify"
	case errors.As(err, &dial) && dial.Op == "dial":
		return "it refuses the connection"
	}
	return "the connection broke, or the answer was not HTTP"
}
