package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"didit-temporal/internal/config"
)

const (
	checkAPI      = "http api"
	checkLongPoll = "http api, long poll"
	checkLargest  = "largest webhook"
)

// longPoll is the longest that the API lets a caller wait.
const longPoll = 45 * time.Second

// api calls `starter serve` as a caller does, where it is served.
func (e *checker) api(ctx context.Context) {
	if len(e.starter.Tokens) == 0 {
		e.skip("there are no usable STARTER_TOKENS here: the API is not served, or on another machine", checkAPI)
		return
	}
	here, _ := config.LocalURL(e.starter.Addr) // empty where STARTER_ADDR is wrong
	base := strings.TrimSuffix(cmp.Or(e.APIURL, here), "/")
	h := http.Header{"Authorization": {"Bearer " + e.starter.Tokens[0].Value.Reveal()}}
	a, err := e.call(ctx, http.MethodGet, base+"/v1/verifications/doctor-unknown-user", h, nil)
	switch {
	case err != nil:
		e.fail(checkAPI, fmt.Sprintf("%s does not answer: %v", base, err), "start it (`go run ./starter serve`), or give --api-url, or unset STARTER_TOKENS where it is not served")
		return
	case a.code == http.StatusNotFound && strings.Contains(string(a.body), "no-such-verification"):
		e.ok(checkAPI, base+" accepts the first of the STARTER_TOKENS")
	case a.code == http.StatusUnauthorized:
		e.fail(checkAPI, base+" refuses the first of the STARTER_TOKENS here", "give it the STARTER_TOKENS that are set here, and start it again")
		return
	case a.code == http.StatusServiceUnavailable:
		e.fail(checkAPI, base+" does not reach Temporal (status 503)", "see its log and the checks above")
		return
	default:
		e.fail(checkAPI, fmt.Sprintf("%s answers %d, not as our API does", base, a.code), "check --api-url and the proxy between")
		return
	}
	e.longPoll(ctx, base, h)
}

// longPoll waits for as long as a caller may, for a user who is waiting: a proxy in front must not hang up before.
func (e *checker) longPoll(ctx context.Context, base string, h http.Header) {
	if e.WaitingUser == "" {
		e.skip("give --waiting-user USER, one whose verification is open, to try a long poll of 45 s", checkLongPoll)
		return
	}
	began := e.Now()
	a, err := e.callFor(ctx, longPoll+callTimeout, maxAnswer, http.MethodGet, base+"/v1/verifications/"+e.WaitingUser+"?wait=45s", h, nil)
	took := e.Now().Sub(began).Round(time.Second)
	switch {
	case err != nil:
		e.fail(checkLongPoll, fmt.Sprintf("cut off after %s: %v", took, err), "configure the proxy in front to wait for 60 s (docs/operations/proxies.md)")
	case a.code != http.StatusOK:
		e.fail(checkLongPoll, fmt.Sprintf("status %d after %s", a.code, took), "configure the proxy in front to wait for 60 s (docs/operations/proxies.md)")
	default:
		e.ok(checkLongPoll, fmt.Sprintf("answered after %s", took))
	}
}

// largest sends a signed test event of the largest size that the webhook accepts: a proxy in front may accept less.
func (e *checker) largest(ctx context.Context, target string) {
	size := int(e.hook.MaxBody)
	if size == 0 {
		e.skip("WEBHOOK_MAX_BODY is wrong", checkLargest)
		return
	}
	a, err := e.deliver(ctx, target, e.hook.Secrets[0].Reveal(), size)
	switch {
	case err != nil:
		e.fail(checkLargest, fmt.Sprintf("%s hangs up on %d bytes: %v", target, size, err), "configure the proxy in front to accept WEBHOOK_MAX_BODY (docs/operations/proxies.md)")
	case a.code == http.StatusRequestEntityTooLarge:
		e.fail(checkLargest, fmt.Sprintf("%s refuses %d bytes (413)", target, size), "configure the proxy in front to accept WEBHOOK_MAX_BODY, and give the webhook the one that is set here (docs/operations/proxies.md)")
	case a.code != http.StatusOK:
		e.fail(checkLargest, fmt.Sprintf("%s answers %d to %d bytes", target, a.code, size), "see the log of the webhook and of the proxy in front")
	default:
		e.ok(checkLargest, fmt.Sprintf("%d bytes are accepted", size))
	}
}
