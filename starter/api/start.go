package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const (
	etaLimit   = time.Second // an estimate that takes longer is left out
	retryAfter = 5           // seconds, where the time is not known
	retryMost  = 300         // seconds: the queue may get shorter
)

// start answers POST. It joins a running verification, so a POST may be repeated at any time.
func (a *API) start(c *gin.Context) {
	in, bad := readBody(c, inputFields, inputExample)
	if bad != nil {
		a.problem(c, bad.kind, bad.details)
		return
	}
	c.Set(keyUser, in.UserID)
	if !a.allowInput(c, &in) || !a.allowReturnURL(c, in) {
		return
	}
	share := by(c).starts
	if !share.take(in.UserID) {
		a.problem(c, shareUsed, details{detail: fmt.Sprintf("%d starts of %s already wait for their sessions; send it again after Retry-After", share.most, by(c).Name)})
		return
	}
	waits := false
	defer func() { share.give(in.UserID, waits) }()
	extend(c, a.o.Timeout)
	ctx, cancel := context.WithTimeout(c.Request.Context(), a.o.Timeout) // it ends the wait, not the verification
	defer cancel()
	s, err := a.o.Verifications.Start(ctx, in)
	switch {
	case err == nil:
		code := http.StatusOK
		if s.New {
			code = http.StatusCreated
			c.Header("Location", Path+"/"+in.UserID)
		}
		answer(c, code, shown(s.State, s.Session, s.RunID))
	case s.RunID != "" && late(ctx, err):
		waits = true
		a.watch.begin()
		a.answerLater(c, in, s)
	default:
		a.refuse(c, ctx, err)
	}
}

// allowReturnURL refuses a link of an app that the operator has not listed. Its form is validated already.
func (a *API) allowReturnURL(c *gin.Context, in kyc.Input) bool {
	u, err := url.Parse(in.ReturnURL)
	if err != nil || in.ReturnURL == "" || u.Scheme == "http" || u.Scheme == "https" || slices.Contains(a.o.ReturnSchemes, u.Scheme) {
		return true
	}
	a.problem(c, invalidInput, details{fields: []FieldError{{
		Field:  "return_url",
		Detail: fmt.Sprintf("return_url has the scheme %s, which this deployment does not allow; add it to RETURN_URL_SCHEMES, or use https", shortened(u.Scheme)),
	}}})
	return false
}

// answerLater answers 202: the verification has started, and when to ask again.
func (a *API) answerLater(c *gin.Context, in kyc.Input, s kyc.Started) {
	v := shown(s.State, s.Session, s.RunID)
	v.UserID, v.ETASeconds = in.UserID, a.eta(c, in.Priority)
	again := int64(retryAfter)
	if v.ETASeconds > 0 {
		again = min(v.ETASeconds, retryMost)
	}
	c.Header("Retry-After", strconv.FormatInt(again, 10))
	c.Header("Location", Path+"/"+in.UserID)
	answer(c, http.StatusAccepted, v)
}

// eta is in whole seconds, at least one; zero if it is not known.
func (a *API) eta(c *gin.Context, p kyc.Priority) int64 {
	if a.o.Estimator == nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), etaLimit)
	defer cancel()
	position, err := a.o.Estimator.QueuePosition(ctx, p)
	if err != nil {
		_ = c.Error(err) // for the log: the answer does not depend on it
		return 0
	}
	d, known := position.ETA(time.Now())
	if !known {
		return 0
	}
	return max(1, int64(math.Ceil(d.Seconds())))
}

// late reports whether err is the end of our own timeout.
func late(ctx context.Context, err error) bool {
	var final *kyc.SessionError
	var refused *ops.OperationError
	var run *kyc.RunError
	if errors.As(err, &final) || errors.As(err, &refused) || errors.As(err, &run) {
		return false
	}
	var update *client.WorkflowUpdateServiceTimeoutOrCanceledError
	return ctx.Err() != nil || errors.As(err, &update) || errors.Is(err, context.DeadlineExceeded)
}

const inputExample = `such as {"user_id": "u-1042"}`

// inputFields are those of a start. kyc.Client fills in the rest of kyc.Input.
var inputFields = []field[kyc.Input]{
	{name: "user_id", required: "your opaque id of the user", text: inputText(func(in *kyc.Input, s string) { in.UserID = s })},
	{name: "workflow_id", text: inputText(func(in *kyc.Input, s string) { in.WorkflowID = s })},
	{name: "language", text: inputText(func(in *kyc.Input, s string) { in.Language = s })},
	{name: "return_url", text: inputText(func(in *kyc.Input, s string) { in.ReturnURL = s })},
	{name: "reverify", boolean: func(in *kyc.Input, b bool) error { in.Reverify = b; return nil }},
	{name: "priority", text: inputText(func(in *kyc.Input, s string) { in.Priority = kyc.Priority(s) })},
}

// inputText sets a text and validates it alone, so that every wrong field is reported and not only the first.
func inputText(put func(*kyc.Input, string)) func(*kyc.Input, string) error {
	return func(in *kyc.Input, s string) error {
		put(in, s)
		alone := kyc.Input{UserID: "u"}
		put(&alone, s)
		return alone.Validate()
	}
}
