package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const (
	checkCallback = "callback endpoint"
	checkPending  = "results on their way"
)

// callback posts an unsigned message to RESULT_URL: a healthy endpoint refuses it, and one that is down is found.
func (e *checker) callback(ctx context.Context) {
	target := e.worker.ResultURL.Reveal()
	switch {
	case !e.wants("worker"):
		e.skip("RESULT_URL is the worker's: run this where the worker runs", checkCallback)
		return
	case target == "":
		e.skip("RESULT_URL is not set: results are sent nowhere", checkCallback)
		return
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Webhook-Id", "doctor")
	h.Set("Webhook-Timestamp", strconv.FormatInt(e.Now().Unix(), 10))
	h.Set("Webhook-Signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	a, err := e.call(ctx, http.MethodPost, target, h, strings.NewReader(`{"type":"doctor.unsigned","data":{}}`))
	switch {
	case err != nil:
		e.fail(checkCallback, "RESULT_URL does not answer: "+err.Error(), "start the endpoint at RESULT_URL; until then results are sent again for three days")
	case a.code >= http.StatusInternalServerError, a.code == http.StatusNotFound, a.code == http.StatusMethodNotAllowed, a.code/100 == 3:
		e.fail(checkCallback, fmt.Sprintf("it answers %d to a POST", a.code), "see the log of your endpoint, and check RESULT_URL; until it answers 2xx, results wait")
	case a.code/100 == 2:
		e.warn(checkCallback, fmt.Sprintf("it answers %d to an unsigned message", a.code), "verify the signature first (docs/guides/callbacks.md): otherwise any sender can report a verdict")
	default:
		e.ok(checkCallback, fmt.Sprintf("it refuses what is not signed (status %d)", a.code))
	}
}

// pending counts the results that the callback endpoint has not accepted yet.
func (e *checker) pending(ctx context.Context, c *ops.Client) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n, err := c.CountOpen(ctx, kyc.AttributeWaitingFor, string(kyc.WaitingForCallback), 0)
	switch {
	case err != nil:
		e.skip("Temporal does not count them: "+err.Error(), checkPending)
	case n > 0:
		e.fail(checkPending, fmt.Sprintf("%d verifications wait for their callback to be accepted", n),
			"see `"+checkCallback+"`; to list them: `temporal workflow list --query \"KycWaitingFor = 'callback' AND ExecutionStatus = 'Running'\"`")
	default:
		e.ok(checkPending, "none waits")
	}
}
