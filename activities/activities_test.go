package activities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const flow = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

type fakeDidit struct {
	create func(didit.CreateSessionRequest) (didit.Session, error)
	decide func(string) (didit.Decision, error)
}

func (f fakeDidit) CreateSession(_ context.Context, r didit.CreateSessionRequest) (didit.Session, error) {
	return f.create(r)
}
func (f fakeDidit) Decision(_ context.Context, id string) (didit.Decision, error) {
	return f.decide(id)
}

// run runs an activity as a worker would.
func run[Out any](t *testing.T, d fakeDidit, pick func(*activities.Activities) any, in any) (Out, error) {
	t.Helper()
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	a := &activities.Activities{Didit: d, Settings: activities.Settings{
		WorkflowID: flow, Environment: didit.EnvironmentLive, SessionDeadline: 90 * time.Minute,
	}}
	env.RegisterActivity(pick(a))
	var out Out
	value, err := env.ExecuteActivity(pick(a), in)
	if err != nil {
		return out, err
	}
	err = value.Get(&out)
	return out, err
}

func create(a *activities.Activities) any { return a.CreateSession }
func read(a *activities.Activities) any   { return a.ReadDecision }

func TestCreateSession(t *testing.T) {
	for name, tc := range map[string]struct {
		in       activities.CreateSessionInput
		wantFlow string
	}{
		"the worker's flow where the input names none": {activities.CreateSessionInput{UserID: "u1", Attempt: 1}, flow},
		"the input's own": {activities.CreateSessionInput{UserID: "u1", WorkflowID: "mine", Language: "es", ReturnURL: "https://shop.example/", Attempt: 2}, "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{create: func(r didit.CreateSessionRequest) (didit.Session, error) {
				require.Equal(t, tc.wantFlow, r.WorkflowID)
				require.Equal(t, "u1", r.VendorData)
				require.Equal(t, tc.in.ReturnURL, r.Callback)
				require.Equal(t, tc.in.Language, r.Language)
				var ours map[string]any
				require.NoError(t, json.Unmarshal(r.Metadata, &ours))
				require.NotEmpty(t, ours["temporal_run_id"])
				require.EqualValues(t, tc.in.Attempt, ours["attempt"])
				return didit.Session{ID: "s1", Token: "t", URL: "https://d.example/t", Status: didit.StatusNotStarted}, nil
			}}
			got, err := run[activities.CreatedSession](t, d, create, tc.in)
			require.NoError(t, err)
			require.Equal(t, activities.CreatedSession{
				Session:    kyc.Session{SessionID: "s1", SessionToken: "t", URL: "https://d.example/t", Status: didit.StatusNotStarted},
				WorkflowID: tc.wantFlow, Environment: didit.EnvironmentLive, DeadlineSeconds: 5400,
			}, got)
		})
	}
}

func TestReadDecision(t *testing.T) {
	in := activities.ReadDecisionInput{SessionID: "s1", UserID: "u1", WorkflowID: flow, Environment: didit.EnvironmentLive}
	for name, tc := range map[string]struct {
		change  func(*didit.Decision)
		foreign []string
	}{
		"ours":                   {func(*didit.Decision) {}, nil},
		"ours, in an old format": {func(d *didit.Decision) { d.Environment = "" }, nil},
		"of another session":     {func(d *didit.Decision) { d.SessionID = "s2" }, []string{"session_id"}},
		"of another user":        {func(d *didit.Decision) { d.VendorData = "someone@example.com" }, []string{"vendor_data"}},
		"of another flow":        {func(d *didit.Decision) { d.WorkflowID = "x" }, []string{"workflow_id"}},
		"of the sandbox":         {func(d *didit.Decision) { d.Environment = didit.EnvironmentSandbox }, []string{"environment"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{decide: func(id string) (didit.Decision, error) {
				require.Equal(t, "s1", id)
				d := didit.Decision{
					SessionID: "s1", VendorData: "u1", WorkflowID: flow, Environment: didit.EnvironmentLive, Status: didit.StatusDeclined,
					Checks: []didit.Check{{Feature: "LIVENESS", Status: "Declined"}}, Warnings: []string{"LIVENESS_ATTACK"},
				}
				tc.change(&d)
				return d, nil
			}}
			got, err := run[activities.Decision](t, d, read, in)
			require.NoError(t, err)
			if tc.foreign != nil {
				require.Equal(t, activities.Decision{Foreign: tc.foreign}, got, "a foreign decision leaves nothing but names of fields")
				return
			}
			require.Equal(t, activities.Decision{
				Status: didit.StatusDeclined, Checks: []kyc.Check{{Feature: "LIVENESS", Status: "Declined"}}, Warnings: []string{"LIVENESS_ATTACK"},
			}, got)
		})
	}
}

func TestEveryFailureOfDiditHasAName(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		want  string
		delay time.Duration
	}{
		"slow down":              {&didit.APIError{StatusCode: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, kyc.ErrorTypeRateLimited, 7 * time.Second},
		"slow down, no time":     {&didit.APIError{StatusCode: http.StatusTooManyRequests}, kyc.ErrorTypeRateLimited, 0},
		"down":                   {&didit.APIError{StatusCode: http.StatusBadGateway}, kyc.ErrorTypeUnavailable, 0},
		"down for a known time":  {&didit.APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: time.Minute}, kyc.ErrorTypeUnavailable, time.Minute},
		"no answer":              {context.DeadlineExceeded, kyc.ErrorTypeUnavailable, 0},
		"an answer in no format": {didit.ErrBadResponse, kyc.ErrorTypeUnavailable, 0},
		"a wrong key":            {&didit.APIError{StatusCode: http.StatusUnauthorized}, kyc.ErrorTypeUnauthorized, 0},
		"a key without rights":   {&didit.APIError{StatusCode: http.StatusForbidden}, kyc.ErrorTypeUnauthorized, 0},
		"no credit, by status":   {&didit.APIError{StatusCode: http.StatusPaymentRequired}, kyc.ErrorTypeOutOfCredit, 0},
		"no credit, by code":     {&didit.APIError{StatusCode: http.StatusForbidden, Code: "contract_billing_suspended"}, kyc.ErrorTypeOutOfCredit, 0},
		"unknown":                {&didit.APIError{StatusCode: http.StatusNotFound}, kyc.ErrorTypeNotFound, 0},
		"invalid":                {&didit.APIError{StatusCode: http.StatusBadRequest}, kyc.ErrorTypeRejected, 0},
		"never sent":             {didit.ErrInvalidArgument, kyc.ErrorTypeRejected, 0},
		"a redirect":             {&didit.APIError{StatusCode: http.StatusMovedPermanently}, kyc.ErrorTypeRejected, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{create: func(didit.CreateSessionRequest) (didit.Session, error) { return didit.Session{}, tc.err }}
			_, err := run[activities.CreatedSession](t, d, create, activities.CreateSessionInput{UserID: "u1"})
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, tc.want, app.Type())
			require.Equal(t, tc.delay, app.NextRetryDelay())
			require.False(t, app.NonRetryable(), "whether it is final is the workflow's decision")
		})
	}
}
