package activities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
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
	list   func(didit.ListSessionsRequest) (didit.SessionPage, error)
	update func(string, didit.UpdateStatusRequest) error
	remove func(string, didit.DeleteSessionRequest) error
	review func(string) ([]didit.Review, error)
	all    func(string) ([]didit.SessionSummary, error)
	forget func(string) (int, error)
}

func (f fakeDidit) SessionsOf(_ context.Context, user string) ([]didit.SessionSummary, error) {
	return f.all(user)
}
func (f fakeDidit) DeleteUser(_ context.Context, user string) (int, error) { return f.forget(user) }

func (f fakeDidit) Reviews(_ context.Context, id string) ([]didit.Review, error) { return f.review(id) }

func (f fakeDidit) UpdateStatus(_ context.Context, id string, r didit.UpdateStatusRequest) error {
	return f.update(id, r)
}
func (f fakeDidit) DeleteSession(_ context.Context, id string, r didit.DeleteSessionRequest) (didit.DeletedSession, error) {
	return didit.DeletedSession{ID: id}, f.remove(id, r)
}

func (f fakeDidit) ListSessions(_ context.Context, r didit.ListSessionsRequest) (didit.SessionPage, error) {
	return f.list(r)
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
		WorkflowID: flow, Environment: didit.EnvironmentLive, SessionDeadline: 90 * time.Minute, ReconcileAfter: time.Hour, SessionCap: 2,
	}, Spread: func() float64 { return 0.75 }}
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
			got, err := run[activities.MadeSession](t, d, create, tc.in)
			require.NoError(t, err)
			require.Equal(t, activities.MadeSession{
				Session: kyc.Session{SessionID: "s1", SessionToken: "t", URL: "https://d.example/t", Status: didit.StatusNotStarted},
				Terms: activities.Terms{
					WorkflowID: tc.wantFlow, Environment: didit.EnvironmentLive, DeadlineSeconds: 5400,
					ReconcileSeconds: 4320, ReconcileMaxSeconds: 103680, // 20 % more than an hour, and than a day
				},
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
		"ours, in other letters": {func(d *didit.Decision) { d.WorkflowID = strings.ToUpper(d.WorkflowID) }, nil},
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
	reset := time.Now().Add(time.Hour)
	for name, tc := range map[string]struct {
		err     error
		want    string
		atLeast time.Duration // 0: left to the retry policy
		unclear bool          // a create may have made a session
	}{
		"slow down":                     {&didit.APIError{StatusCode: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, kyc.ErrorTypeRateLimited, 7 * time.Second, false},
		"slow down, no time":            {&didit.APIError{StatusCode: http.StatusTooManyRequests}, kyc.ErrorTypeRateLimited, 0, false},
		"slow down until a later reset": {&didit.APIError{StatusCode: http.StatusTooManyRequests, RetryAfter: time.Second, Reset: reset}, kyc.ErrorTypeRateLimited, 59 * time.Minute, false},
		"slow down for years":           {&didit.APIError{StatusCode: http.StatusTooManyRequests, Reset: reset.AddDate(9, 0, 0)}, kyc.ErrorTypeRateLimited, 24 * time.Hour, false},
		"down":                          {&didit.APIError{StatusCode: http.StatusBadGateway}, kyc.ErrorTypeUnavailable, 0, true},
		"broken":                        {&didit.APIError{StatusCode: http.StatusInternalServerError}, kyc.ErrorTypeUnavailable, 0, true},
		"too slow behind a gateway":     {&didit.APIError{StatusCode: http.StatusGatewayTimeout}, kyc.ErrorTypeUnavailable, 0, true},
		"down for a known time":         {&didit.APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: time.Minute}, kyc.ErrorTypeUnavailable, time.Minute, false},
		"down for a day, says a page":   {&didit.APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: 24 * time.Hour}, kyc.ErrorTypeUnavailable, 5 * time.Minute, false},
		"no answer":                     {context.DeadlineExceeded, kyc.ErrorTypeUnavailable, 0, true},
		"an answer in no format":        {didit.ErrBadResponse, kyc.ErrorTypeUnavailable, 0, true},
		"never sent":                    {didit.ErrInvalidArgument, kyc.ErrorTypeRejected, 0, false},
		"a wrong key":                   {&didit.APIError{StatusCode: http.StatusUnauthorized}, kyc.ErrorTypeUnauthorized, 0, false},
		"a key without rights":          {&didit.APIError{StatusCode: http.StatusForbidden}, kyc.ErrorTypeUnauthorized, 0, false},
		"no credit, by status":          {&didit.APIError{StatusCode: http.StatusPaymentRequired}, kyc.ErrorTypeOutOfCredit, 0, false},
		"no credit, by code":            {&didit.APIError{StatusCode: http.StatusForbidden, Code: "contract_billing_suspended"}, kyc.ErrorTypeOutOfCredit, 0, false},
		"unknown":                       {&didit.APIError{StatusCode: http.StatusNotFound, Detail: "Not found."}, kyc.ErrorTypeNotFound, 0, false},
		"a base path that is not Didit": {&didit.APIError{StatusCode: http.StatusNotFound}, kyc.ErrorTypeRejected, 0, false},
		"no credit, by text":            {&didit.APIError{StatusCode: http.StatusBadRequest, Detail: "Not enough credits."}, kyc.ErrorTypeOutOfCredit, 0, false},
		"invalid":                       {&didit.APIError{StatusCode: http.StatusBadRequest}, kyc.ErrorTypeRejected, 0, false},
		"a redirect":                    {&didit.APIError{StatusCode: http.StatusMovedPermanently}, kyc.ErrorTypeRejected, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(err error, final bool) {
				t.Helper()
				var app *temporal.ApplicationError
				require.ErrorAs(t, err, &app)
				require.Equal(t, tc.want, app.Type())
				require.Equal(t, final, app.NonRetryable())
				require.GreaterOrEqual(t, app.NextRetryDelay(), tc.atLeast)
				require.LessOrEqual(t, app.NextRetryDelay(), tc.atLeast*12/10, "a tenth more, so that not all come back together")
			}
			d := fakeDidit{
				create: func(didit.CreateSessionRequest) (didit.Session, error) { return didit.Session{}, tc.err },
				decide: func(string) (didit.Decision, error) { return didit.Decision{}, tc.err },
			}
			_, err := run[activities.MadeSession](t, d, create, activities.CreateSessionInput{UserID: "u1"})
			check(err, tc.unclear)
			_, err = run[activities.Decision](t, d, read, activities.ReadDecisionInput{SessionID: "s1"})
			check(err, false) // whether it is final is the workflow's decision
		})
	}
}

func TestListSessionsCountsWhatWasPaid(t *testing.T) {
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	d := fakeDidit{list: func(r didit.ListSessionsRequest) (didit.SessionPage, error) {
		require.Equal(t, "u1", r.VendorData)
		return didit.SessionPage{Sessions: []didit.SessionSummary{
			{ID: "s1", VendorData: "u1", Status: didit.StatusApproved, CreatedAt: ago(time.Hour)},
			{ID: "s2", VendorData: "u1", Status: didit.StatusExpired, CreatedAt: ago(29 * 24 * time.Hour)},
			{ID: "s3", VendorData: "u1", Status: didit.StatusDeclined, CreatedAt: ago(31 * 24 * time.Hour)},
			{ID: "s4", VendorData: "u1", Status: didit.StatusInProgress, CreatedAt: ago(time.Minute)},
			{ID: "s5", VendorData: "u10", Status: didit.StatusApproved, CreatedAt: ago(time.Minute)},
		}}, nil
	}}
	got, err := run[activities.UserSessions](t, d, func(a *activities.Activities) any { return a.ListSessions }, activities.ListSessionsInput{UserID: "u1"})
	require.NoError(t, err)
	require.Equal(t, 2, got.Recent, "finished, of this user, in thirty days")
	require.Equal(t, 2, got.Cap)
	require.Len(t, got.Sessions, 4)
}

func TestOnlyOurOwnSessionIsAdopted(t *testing.T) {
	adopt := func(a *activities.Activities) any { return a.AdoptSession }
	for name, tc := range map[string]struct {
		metadata, vendor string
	}{
		"another run's":  {`{"temporal_run_id":"0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10"}`, "u1"},
		"nobody's":       {`null`, "u1"},
		"another user's": {`{}`, "u2"},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{decide: func(string) (didit.Decision, error) {
				return didit.Decision{SessionID: "s1", VendorData: tc.vendor, WorkflowID: flow, SessionURL: "https://d.example/session/abc", Metadata: []byte(tc.metadata)}, nil
			}}
			got, err := run[activities.AdoptedSession](t, d, adopt, activities.AdoptSessionInput{SessionID: "s1", UserID: "u1"})
			require.NoError(t, err)
			require.Zero(t, got)
		})
	}
}
