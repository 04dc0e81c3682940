package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func TestStartAnswersOneFlatObject(t *testing.T) {
	joined := newOne("u1")
	joined.New, joined.State.Status, joined.State.UpdatedAt = false, didit.StatusInProgress, noon
	inReview := joined
	inReview.State.Status = didit.StatusInReview
	for name, tc := range map[string]struct {
		started kyc.Started
		code    int
		body    string
	}{
		"a new one": {newOne("u1"), http.StatusCreated, `{"user_id":"u1","session_id":"session-1","workflow_id":"` + flowID + `","status":"Not Started","outcome":"","attempt":1,
			"checks":[],"warnings":[],"error_type":"","run_id":"run-1","url":"` + pageURL + `","session_token":"t0ken"}`},
		"an open one": {joined, http.StatusOK, `{"user_id":"u1","session_id":"session-1","workflow_id":"` + flowID + `","status":"In Progress","outcome":"","attempt":1,
			"checks":[],"warnings":[],"error_type":"","updated_at":"2026-11-23T12:00:00Z","run_id":"run-1","url":"` + pageURL + `","session_token":"t0ken"}`},
		"one in review": {inReview, http.StatusOK, `{"user_id":"u1","session_id":"session-1","workflow_id":"` + flowID + `","status":"In Review","outcome":"","attempt":1,
			"checks":[],"warnings":[],"error_type":"","updated_at":"2026-11-23T12:00:00Z","run_id":"run-1"}`},
		"a decided one": {kyc.Started{State: approved("u1"), RunID: "run-1"}, http.StatusOK, `{"user_id":"u1","session_id":"session-1","workflow_id":"` + flowID + `",
			"status":"Approved","outcome":"approved","attempt":2,"checks":[{"feature":"ID_VERIFICATION","status":"Approved"}],
			"warnings":["LOW_LIGHT"],"error_type":"","updated_at":"2026-11-23T12:00:00Z","checked_at":"2026-11-23T12:00:00Z","run_id":"run-1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) { return tc.started, nil }
			rec := b.post(`{"user_id":"u1"}`)
			assert.Equal(t, tc.code, rec.Code)
			assert.JSONEq(t, tc.body, rec.Body.String())
			assert.Equal(t, "application/json; charset=utf-8", rec.Header().Get("Content-Type"))
			assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
			assert.Equal(t, 1, b.calls, "one call, whatever the answer")
			assert.NotContains(t, b.log.String(), "s3cret")
		})
	}
}

func TestRefusalsHaveNames(t *testing.T) {
	session := func(errorType string) error { return &kyc.SessionError{UserID: "u1", RunID: "run-1", Type: errorType} }
	for name, tc := range map[string]struct {
		err       error
		kind      kind
		errorType string
		retry     string
	}{
		"the cap":               {session(kyc.ErrorTypeSessionCap), sessionCap, "SessionCapReached", ""},
		"refused by Didit":      {session(kyc.ErrorTypeRejected), rejected, "DiditRejected", ""},
		"an unknown flow":       {session(kyc.ErrorTypeNotFound), rejected, "DiditNotFound", ""},
		"an input of the past":  {session(kyc.ErrorTypeInvalidInput), rejected, "InvalidInput", ""},
		"the wrong key":         {session(kyc.ErrorTypeUnauthorized), diditUnavailable, "DiditUnauthorized", "60"},
		"no credit":             {session(kyc.ErrorTypeOutOfCredit), diditUnavailable, "DiditOutOfCredit", "60"},
		"Didit is down":         {session(kyc.ErrorTypeUnavailable), diditUnavailable, "DiditUnavailable", "60"},
		"Didit slows us down":   {session(kyc.ErrorTypeRateLimited), diditUnavailable, "DiditRateLimited", "60"},
		"terminated meanwhile":  {session(""), ended, "", ""},
		"cancelled meanwhile":   {session(kyc.ErrorTypeCancelled), ended, "Cancelled", ""},
		"erased meanwhile":      {session(kyc.ErrorTypeErased), ended, "Erased", ""},
		"an operation too late": {&ops.OperationError{Type: kyc.ErrorTypeRefused, Message: "the verification has ended"}, refused, "OperationRefused", ""},
		"a legal hold":          {&ops.OperationError{Type: kyc.ErrorTypeLegalHold}, refused, "DiditLegalHold", ""},
		"an error of tomorrow":  {session("NobodyKnows"), internal, "NobodyKnows", ""},
		"terminated":            {fmt.Errorf("read: %w", &kyc.RunError{UserID: "u1", Reason: kyc.RunEnded}), ended, "", ""},
		"paused":                {fmt.Errorf("read: %w", &kyc.RunError{UserID: "u1", Reason: kyc.RunPaused}), paused, "", ""},
		"another program's":     {fmt.Errorf("read: %w", &kyc.RunError{UserID: "u1", Reason: kyc.RunOccupied}), occupied, "", ""},
		"of another flow":       {&kyc.FlowError{UserID: "u1", Have: "a", Want: "b"}, otherFlow, "", ""},
		"none":                  {fmt.Errorf("read: %w", kyc.ErrNotFound), notFound, "", ""},
		"Temporal is down":      {errors.New("connection refused to hunter2"), temporalUnavailable, "TemporalUnavailable", "5"},
		"Temporal took so long": {fmt.Errorf("start: %w", context.DeadlineExceeded), temporalUnavailable, "WorkerUnavailable", "5"},
		"no worker":             {fmt.Errorf("start: %w", client.NewWorkflowUpdateServiceTimeoutOrCanceledError(errors.New("late"))), temporalUnavailable, "WorkerUnavailable", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) { return kyc.Started{}, tc.err }
			rec := b.post(`{"user_id":"u1"}`)
			assert.Equal(t, tc.retry, rec.Header().Get("Retry-After"))
			assert.NotContains(t, rec.Body.String(), "hunter2", "what went wrong inside is for the log")
			assert.Contains(t, b.log.String(), "error=")
			p := problemIn(t, rec)
			assert.Equal(t, tc.kind.name, p.name())
			assert.Equal(t, tc.errorType, p.ErrorType)
		})
	}
}

func TestWhoDoesNotAnswerIsNamed(t *testing.T) {
	var down error
	b := newBench(t, func(o *Options) { o.Ready = func(context.Context) error { return down } })
	b.fake.find = func(context.Context, string) (kyc.Found, error) { return kyc.Found{}, context.DeadlineExceeded }
	assert.Equal(t, ErrorTypeWorker, problemIn(t, b.get(Path+"/u1")).ErrorType, "Temporal is there")
	down = errors.New("no route")
	assert.Equal(t, ErrorTypeTemporal, problemIn(t, b.get(Path+"/u1")).ErrorType)
}

// estimator always gives one answer.
type estimator func() (ops.QueuePosition, error)

func (f estimator) QueuePosition(context.Context, kyc.Priority) (ops.QueuePosition, error) {
	return f()
}

// queue is one that n calls wait in, of which one starts each second.
func queue(n int) estimator {
	return func() (ops.QueuePosition, error) {
		return ops.QueuePosition{Ahead: n, PerSecond: 1, At: time.Now()}, nil
	}
}

func TestASessionThatIsLateIsAcceptedWithAnEstimate(t *testing.T) {
	lateError := fmt.Errorf("wait: %w", client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded))
	for name, tc := range map[string]struct {
		estimator Estimator
		eta       string
		retry     string
	}{
		"no estimator":        {nil, "", "5"},
		"the queue is paused": {estimator(func() (ops.QueuePosition, error) { return ops.QueuePosition{Ahead: 3, Paused: true}, nil }), "", "5"},
		"asking fails":        {estimator(func() (ops.QueuePosition, error) { return ops.QueuePosition{}, errors.New("no") }), "", "5"},
		"in 42 seconds":       {queue(42), `,"eta_seconds":42`, "42"},
		"no queue":            {queue(0), `,"eta_seconds":1`, "1"},
		"in an hour":          {queue(3600), `,"eta_seconds":3600`, "300"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Estimator = tc.estimator })
			b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) {
				return kyc.Started{RunID: "run-1", New: true}, lateError
			}
			rec := b.post(`{"user_id":"u1"}`)
			require.Equal(t, http.StatusAccepted, rec.Code)
			assert.Equal(t, tc.retry, rec.Header().Get("Retry-After"))
			assert.Equal(t, "/v1/verifications/u1", rec.Header().Get("Location"))
			assert.JSONEq(t, `{"user_id":"u1","session_id":"","workflow_id":"","status":"","outcome":"","attempt":0,"checks":[],"warnings":[],"error_type":"",
				"run_id":"run-1"`+tc.eta+`}`, rec.Body.String())
		})
	}
}

func TestFindAnswersTheSameObjectWithoutTheURL(t *testing.T) {
	b := newBench(t, nil)
	b.fake.find = func(_ context.Context, userID string) (kyc.Found, error) {
		return kyc.Found{State: approved(userID), RunID: "run-1"}, nil
	}
	rec := b.get(Path + "/u:1.x-y_z")
	require.Equal(t, http.StatusOK, rec.Code)
	assert.JSONEq(t, `{"user_id":"u:1.x-y_z","session_id":"session-1","workflow_id":"`+flowID+`","status":"Approved","outcome":"approved","attempt":2,
		"checks":[{"feature":"ID_VERIFICATION","status":"Approved"}],"warnings":["LOW_LIGHT"],"error_type":"",
		"updated_at":"2026-11-23T12:00:00Z","checked_at":"2026-11-23T12:00:00Z","run_id":"run-1"}`, rec.Body.String())
	assert.Equal(t, 1, b.calls)
}

func TestUnknownRoutesAndMethodsAreProblemsToo(t *testing.T) {
	b := newBench(t, nil)
	for _, tc := range []struct {
		method, path string
		kind         kind
		allow        string
	}{
		{http.MethodGet, "/", noRoute, ""},
		{http.MethodGet, "/v1/verifications/", noRoute, ""},
		{http.MethodPost, "/v1/verifications/", noRoute, ""},
		{http.MethodGet, "/v1/verifications/u1/x", noRoute, ""},
		{http.MethodPut, "/v1/verifications", noMethod, "POST, GET"},
		{http.MethodPut, "/v1/verifications/u1", noMethod, "GET, DELETE"},
		{http.MethodPost, "/healthz", noMethod, "GET, HEAD"},
	} {
		rec := b.request(tc.method, tc.path, "", nil)
		assert.Equal(t, tc.allow, rec.Header().Get("Allow"), tc.method+tc.path)
		assert.Equal(t, tc.kind.name, problemIn(t, rec).name(), tc.method+tc.path)
	}
	assert.Zero(t, b.calls)
}

func TestHealth(t *testing.T) {
	var down error
	b := newBench(t, func(o *Options) { o.Ready = func(context.Context) error { return down } })
	noToken := func(r *http.Request) { r.Header.Del("Authorization") }
	assert.Equal(t, http.StatusOK, b.request(http.MethodGet, "/healthz", "", noToken).Code)
	assert.Equal(t, http.StatusOK, b.request(http.MethodGet, "/readyz", "", noToken).Code)
	assert.Equal(t, http.StatusOK, b.request(http.MethodHead, "/healthz", "", noToken).Code)
	assert.Equal(t, http.StatusOK, b.request(http.MethodHead, "/readyz", "", noToken).Code)
	down = errors.New("no route to hunter2")
	rec := b.request(http.MethodGet, "/readyz", "", noToken)
	assert.Equal(t, ErrorTypeTemporal, problemIn(t, rec).ErrorType)
	assert.Equal(t, http.StatusServiceUnavailable, b.request(http.MethodHead, "/readyz", "", noToken).Code)
	assert.Equal(t, http.StatusOK, b.request(http.MethodGet, "/healthz", "", noToken).Code)
}

func TestEveryProblemExplainsItself(t *testing.T) {
	b := newBench(t, nil)
	for _, k := range kinds {
		rec := b.get(problems + k.name)
		assert.Equal(t, http.StatusOK, rec.Code)
		assert.Contains(t, rec.Body.String(), k.advice)
	}
	assert.Equal(t, http.StatusNotFound, b.get(problems+"nonsense").Code)
}
