package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Bounds of what is read of an answer.
const (
	maxAnswer  = 64 << 10
	maxMetrics = 8 << 20
)

// answer is what a plain GET or POST got.
type answer struct {
	code   int
	body   []byte
	header http.Header
	asked  time.Time // in the middle of the call
}

// call sends one request, follows no redirect and sends no key.
func (e *checker) call(ctx context.Context, method, target string, header http.Header, body io.Reader) (answer, error) {
	return e.callFor(ctx, callTimeout, maxAnswer, method, target, header, body)
}

func (e *checker) callFor(ctx context.Context, timeout time.Duration, most int64, method, target string, header http.Header, body io.Reader) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return answer{}, errors.New("not a URL that can be called")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	before := e.Now()
	res, err := e.http.RoundTrip(req)
	if err != nil { // without the address, which may hold a password: only a client adds it
		return answer{}, err
	}
	defer res.Body.Close()
	after := e.Now()
	text, err := io.ReadAll(io.LimitReader(res.Body, most))
	return answer{code: res.StatusCode, body: text, header: res.Header, asked: before.Add(after.Sub(before) / 2)}, err
}

// reach calls Didit's health check without a key and reads its time. It reports whether Didit answered.
func (e *checker) reach(ctx context.Context) bool {
	a, err := e.call(ctx, http.MethodGet, e.worker.DiditBaseURL+"/system/healthcheck", nil, nil)
	if err != nil {
		e.fail(checkReach, fmt.Sprintf("%s does not answer: %v", e.worker.DiditBaseURL, err), howToReachDidit(err))
		return false
	}
	switch {
	case a.code == http.StatusOK:
		e.ok(checkReach, "its health check answers 200")
	case a.code/100 == 3:
		e.fail(checkReach, fmt.Sprintf("%s redirects (status %d): the key must not follow a redirect", e.worker.DiditBaseURL, a.code),
			"set DIDIT_BASE_URL to the address that does not redirect, with https")
	default:
		e.warn(checkReach, fmt.Sprintf("its health check answers %d", a.code), "if the checks below fail too: check DIDIT_BASE_URL, or try again later")
	}
	if theirs := timeOf(a); theirs.IsZero() {
		e.skip("the answer has no time", checkClock)
	} else {
		e.clock(checkClock, "Didit's", a.asked.Sub(theirs))
	}
	return true
}

// timeOf is Didit's own time, or that of a proxy before it.
func timeOf(a answer) time.Time {
	var health struct {
		Timestamp string `json:"timestamp"`
	}
	if json.Unmarshal(a.body, &health) == nil {
		if t, err := time.Parse(time.RFC3339, health.Timestamp); err == nil {
			return t
		}
	}
	t, _ := http.ParseTime(a.header.Get("Date")) // zero if there is none
	return t
}

// howToReachDidit says what to check when a call to Didit fails.
func howToReachDidit(err error) string { return howToCall(err, "DIDIT_BASE_URL") }

// howToCall names the setting that holds the address.
func howToCall(err error, setting string) string {
	var timeout net.Error
	switch {
	case errors.As(err, new(*net.DNSError)):
		return "DNS does not know that host: check " + setting + " and this machine's DNS"
	case errors.As(err, new(tls.RecordHeaderError)):
		return "what answers there does not speak TLS: check " + setting + ", its scheme and port"
	case errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(x509.HostnameError)), errors.As(err, new(x509.UnknownAuthorityError)):
		return "the certificate is not trusted: check " + setting + ", the machine's CA certificates and its clock; a proxy may be in between"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: check the firewall, and HTTPS_PROXY if there is a proxy"
	}
	return "check " + setting + " and the network: a firewall, or HTTPS_PROXY if there is a proxy"
}
