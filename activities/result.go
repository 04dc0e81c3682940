package activities

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Bounds of one try. StartToClose of the activity leaves room beside resultTimeout.
const (
	resultTimeout   = 10 * time.Second
	maxResultAnswer = 64 << 10 // of an answer are read, and thrown away
	// maxResultDelay bounds what Retry-After may ask for, so that many tries fit into three days.
	maxResultDelay = time.Hour
)

// CallbackSender posts results to the callback endpoint, signed as Standard Webhooks says.
type CallbackSender struct {
	url       *url.URL
	keys      []*standardwebhooks.Webhook
	transport http.RoundTripper
	timeout   time.Duration
}

// NewCallbackSender takes the URL to post to and the secrets to sign with, each "whsec_" and base64. Every result carries one
// signature per secret, so that a secret can be replaced without a gap.
func NewCallbackSender(address string, secrets []string) (*CallbackSender, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || len(secrets) == 0 {
		return nil, errors.New("results need an absolute URL and a secret") // without the URL, which may hold a password
	}
	sender := &CallbackSender{url: u, transport: newResultTransport(), timeout: resultTimeout}
	for i, s := range secrets {
		key, err := standardwebhooks.NewWebhook(s)
		if err != nil {
			return nil, fmt.Errorf("the result secret at place %d is not base64", i+1)
		}
		sender.keys = append(sender.keys, key)
	}
	return sender, nil
}

// newResultTransport verifies TLS as Go does. It keeps idle connections for bursts of results to one host.
func newResultTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    resultTimeout,
		MaxResponseHeaderBytes: maxResultAnswer,
	}
}

// Around puts wrap around the calls to the callback endpoint, for telemetry. Call it before the first result.
func (s *CallbackSender) Around(wrap func(http.RoundTripper) http.RoundTripper) {
	s.transport = wrap(s.transport)
}

// SendResultInput is one result to deliver.
type SendResultInput struct {
	Type      kyc.ResultType `json:"type"`
	Sequence  int            `json:"sequence"` // among the results of its run
	Timestamp time.Time      `json:"timestamp"`
	State     kyc.State      `json:"state"`
	// RunID is the run whose id the workflow uses: the one before any reset that it knows of.
	RunID string `json:"run_id"`
	// Optional is set while the workflow does not know yet whether there is a callback endpoint.
	Optional bool `json:"optional,omitempty"`
}

// SentResult says that a result was delivered, or that the run was reset: then nothing was sent, as the runs before may have
// reported it.
type SentResult struct {
	Reset   bool        `json:"reset,omitempty"`
	RunID   string      `json:"run_id,omitempty"` // of the reset run
	Earlier Predecessor `json:"earlier,omitzero"`
}

// SendResult posts a result to the callback endpoint, once. Its errors have the types CallbackFailed and CallbackGone,
// which is final; none of them holds the URL or what the endpoint answered.
func (a *Activities) SendResult(ctx context.Context, in SendResultInput) (SentResult, error) {
	if a.Callbacks == nil {
		if in.Optional {
			return SentResult{}, nil
		}
		return SentResult{}, temporal.NewApplicationError("this worker has no RESULT_URL, but the worker that began the verification had: set it", kyc.ErrorTypeCallbackFailed)
	}
	reset, err := a.afterReset(ctx, in.State.UserID, in.RunID)
	switch {
	case err != nil:
		return SentResult{}, err
	case reset != nil:
		return *reset, nil
	}
	body, err := json.Marshal(kyc.Result{Type: in.Type, Timestamp: in.Timestamp, Data: in.State})
	if err != nil {
		return SentResult{}, err
	}
	return SentResult{}, a.Callbacks.post(ctx, kyc.ResultID(in.RunID, in.Sequence, in.State), body, activity.GetInfo(ctx))
}

// afterReset returns what was reported before the run was reset; nil if the run is runID.
func (a *Activities) afterReset(ctx context.Context, userID, runID string) (*SentResult, error) {
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	if run == runID {
		return nil, nil
	}
	before, err := a.FindPredecessor(ctx, UserInput{UserID: userID})
	if err != nil {
		return nil, temporal.NewApplicationErrorWithCause("cannot read from Temporal what was reported before the reset", kyc.ErrorTypeCallbackFailed, err)
	}
	return &SentResult{Reset: true, RunID: run, Earlier: before}, nil
}

func (s *CallbackSender) post(ctx context.Context, id string, body []byte, info activity.Info) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := s.request(ctx, id, body, time.Now())
	if err != nil {
		return err
	}
	// A RoundTripper, not an http.Client: it follows no redirect, and its errors do not quote the URL.
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return temporal.NewApplicationError("the callback endpoint cannot be reached: "+whyUnreachable(ctx, err), kyc.ErrorTypeCallbackFailed)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, maxResultAnswer)
	return checkAnswer(res, info)
}

func (s *CallbackSender) request(ctx context.Context, id string, body []byte, now time.Time) (*http.Request, error) {
	signatures := make([]string, len(s.keys))
	for i, key := range s.keys {
		var err error
		if signatures[i], err = key.Sign(id, now, body); err != nil {
			return nil, fmt.Errorf("sign the result: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, temporal.NewApplicationError("RESULT_URL cannot be used", kyc.ErrorTypeCallbackFailed)
	}
	if s.url.User != nil { // a RoundTripper does not send it
		password, _ := s.url.User.Password()
		req.SetBasicAuth(s.url.User.Username(), password)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "didit-temporal/1.0 (Go)")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return req, nil
}

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
	own := float64(info.RetryPolicy.InitialInterval) * math.Pow(info.RetryPolicy.BackoffCoefficient, float64(info.Attempt-1))
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
