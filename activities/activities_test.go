package activities_test

import (
	"context"
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

const (
	flow       = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	deployment = "production"
	firstRun   = "0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10"
)

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
		WorkflowID: flow, Deployment: deployment, Environment: didit.EnvironmentLive, SessionDeadline: 90 * time.Minute, ReconcileAfter: time.Hour, SessionCap: 2,
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

// having is a Didit that lists the given sessions of u1, and one of a user whose id differs only in case.
func having(sessions ...didit.SessionSummary) func(didit.ListSessionsRequest) (didit.SessionPage, error) {
	return func(r didit.ListSessionsRequest) (didit.SessionPage, error) {
		page := didit.SessionPage{Sessions: []didit.SessionSummary{{ID: "another", VendorData: "U1", Status: didit.StatusInProgress, CreatedAt: time.Now()}}}
		for _, s := range sessions {
			s.VendorData = r.VendorData
			page.Sessions = append(page.Sessions, s)
		}
		return page, nil
	}
}

func made(id string, s didit.Status, ago time.Duration) didit.SessionSummary {
	return didit.SessionSummary{ID: id, Status: s, CreatedAt: time.Now().Add(-ago)}
}

func TestCreateSession(t *testing.T) {
	for name, tc := range map[string]struct {
		in       activities.CreateSessionInput
		wantFlow string
	}{
		"the worker's flow where the input names none": {activities.CreateSessionInput{UserID: "u1", RunID: firstRun, Attempt: 1}, flow},
		"the input's own": {activities.CreateSessionInput{
			UserID: "u1", RunID: firstRun, WorkflowID: "mine", Language: "es", ReturnURL: "https://shop.example/", Attempt: 2, Reverify: true,
		}, "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{list: having(), create: func(r didit.CreateSessionRequest) (didit.Session, error) {
				require.Equal(t, tc.wantFlow, r.WorkflowID)
				require.Equal(t, "u1", r.VendorData)
				require.Equal(t, tc.in.ReturnURL, r.Callback)
				require.Equal(t, tc.in.Language, r.Language)
				require.Equal(t, kyc.SessionMetadata{Deployment: deployment, RunID: firstRun, Attempt: tc.in.Attempt, Reverify: tc.in.Reverify},
					kyc.MetadataOf(r.Metadata))
				return didit.Session{ID: "s1", Token: "t", URL: "https://d.example/t", Status: didit.StatusNotStarted}, nil
			}}
			got, err := run[activities.MadeSession](t, d, create, tc.in)
			require.NoError(t, err)
			require.Equal(t, activities.MadeSession{
				Session: kyc.Session{SessionID: "s1", SessionToken: "t", URL: "https://d.example/t", Status: didit.StatusNotStarted, WorkflowID: tc.wantFlow},
				Policy: activities.SessionPolicy{
					WorkflowID: tc.wantFlow, Environment: didit.EnvironmentLive, DeadlineSeconds: 5400,
					ReconcileSeconds: 4320, ReconcileMaxSeconds: 103680, // 20 % more than an hour, and than a day
				},
			}, got)
		})
	}
}

// Whatever the earlier answers and runs, what Didit has of the user is read before another session is paid.
func TestNoSessionIsCreatedBesideOneThatWasNotRead(t *testing.T) {
	const ago = time.Hour
	plain, again := activities.CreateSessionInput{UserID: "u1"}, activities.CreateSessionInput{UserID: "u1", Reverify: true, Since: time.Now()}
	knows := func(in activities.CreateSessionInput, ids ...string) activities.CreateSessionInput {
		in.Known = ids
		return in
	}
	for name, tc := range map[string]struct {
		in     activities.CreateSessionInput
		listed []didit.SessionSummary
		looks  bool
	}{
		"none":                        {plain, nil, false},
		"not opened":                  {plain, []didit.SessionSummary{made("a", didit.StatusNotStarted, ago)}, true},
		"under way":                   {plain, []didit.SessionSummary{made("a", didit.StatusInProgress, ago)}, true},
		"to be done again":            {plain, []didit.SessionSummary{made("a", didit.StatusResubmitted, ago)}, true},
		"in review":                   {plain, []didit.SessionSummary{made("a", didit.StatusInReview, ago)}, true},
		"approved":                    {plain, []didit.SessionSummary{made("a", didit.StatusApproved, ago)}, true},
		"declined, behind an expired": {plain, []didit.SessionSummary{made("b", didit.StatusExpired, 0), made("a", didit.StatusDeclined, ago)}, true},
		"expired":                     {plain, []didit.SessionSummary{made("a", didit.StatusExpired, ago)}, false},
		"abandoned":                   {plain, []didit.SessionSummary{made("a", didit.StatusAbandoned, ago)}, false},
		"lapsed":                      {plain, []didit.SessionSummary{made("a", didit.StatusKycExpired, ago)}, false},
		"approved, and read":          {knows(plain, "a"), []didit.SessionSummary{made("a", didit.StatusApproved, ago)}, false},
		"two, of which one is read":   {knows(plain, "a"), []didit.SessionSummary{made("b", didit.StatusApproved, 0), made("a", didit.StatusApproved, ago)}, true},
		"a verdict of before":         {again, []didit.SessionSummary{made("a", didit.StatusApproved, ago)}, false},
		"made for this very request":  {again, []didit.SessionSummary{made("b", didit.StatusNotStarted, -time.Second), made("a", didit.StatusApproved, ago)}, true},
		"by a clock behind":           {again, []didit.SessionSummary{made("b", didit.StatusExpired, 30*time.Second)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			creates := 0
			d := fakeDidit{list: having(tc.listed...), create: func(didit.CreateSessionRequest) (didit.Session, error) {
				creates++
				return didit.Session{ID: "new"}, nil
			}}
			got, err := run[activities.MadeSession](t, d, create, tc.in)
			require.NoError(t, err)
			if !tc.looks {
				require.Equal(t, 1, creates)
				require.Equal(t, "new", got.Session.SessionID)
				require.Empty(t, got.Others)
				return
			}
			require.Zero(t, creates)
			require.Zero(t, got.Session)
			require.Len(t, got.Others, len(tc.listed), "all of the user's, and only those")
			require.Equal(t, tc.listed[0].ID, got.Others[0].SessionID)
		})
	}
}

// A list that Didit does not give says nothing about what was paid, so nothing more is.
func TestNoSessionIsCreatedBeforeTheOthersAreRead(t *testing.T) {
	d := fakeDidit{
		list: func(didit.ListSessionsRequest) (didit.SessionPage, error) {
			return didit.SessionPage{}, &didit.APIError{StatusCode: 503}
		},
		create: func(didit.CreateSessionRequest) (didit.Session, error) { panic("bought") },
	}
	_, err := run[activities.MadeSession](t, d, create, activities.CreateSessionInput{UserID: "u1"})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, kyc.ErrorTypeUnavailable, app.Type())
	require.False(t, app.NonRetryable())
}

func TestTheCapCountsWhatWasPaid(t *testing.T) {
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		listed []didit.SessionSummary
		capped bool
	}{
		"two":                 {[]didit.SessionSummary{made("a", didit.StatusExpired, time.Hour), made("b", didit.StatusAbandoned, 29*day)}, true},
		"one of them is old":  {[]didit.SessionSummary{made("a", didit.StatusExpired, time.Hour), made("b", didit.StatusAbandoned, 31*day)}, false},
		"one is not finished": {[]didit.SessionSummary{made("a", didit.StatusExpired, time.Hour), made("b", didit.StatusInProgress, time.Hour)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{list: having(tc.listed...), create: func(didit.CreateSessionRequest) (didit.Session, error) { return didit.Session{ID: "new"}, nil }}
			in := activities.CreateSessionInput{UserID: "u1", Known: []string{"a", "b"}}
			_, err := run[activities.MadeSession](t, d, create, in)
			if !tc.capped {
				require.NoError(t, err)
				return
			}
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, kyc.ErrorTypeSessionCap, app.Type())
			require.True(t, app.NonRetryable())
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
				Status: didit.StatusDeclined, WorkflowID: got.WorkflowID, Checks: []kyc.Check{{Feature: "LIVENESS", Status: "Declined"}}, Warnings: []string{"LIVENESS_ATTACK"},
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
	}{
		"slow down":                     {&didit.APIError{StatusCode: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, kyc.ErrorTypeRateLimited, 7 * time.Second},
		"slow down, no time":            {&didit.APIError{StatusCode: http.StatusTooManyRequests}, kyc.ErrorTypeRateLimited, 0},
		"slow down until a later reset": {&didit.APIError{StatusCode: http.StatusTooManyRequests, RetryAfter: time.Second, Reset: reset}, kyc.ErrorTypeRateLimited, 59 * time.Minute},
		"slow down for years":           {&didit.APIError{StatusCode: http.StatusTooManyRequests, Reset: reset.AddDate(9, 0, 0)}, kyc.ErrorTypeRateLimited, 24 * time.Hour},
		"down":                          {&didit.APIError{StatusCode: http.StatusBadGateway}, kyc.ErrorTypeUnavailable, 0},
		"broken":                        {&didit.APIError{StatusCode: http.StatusInternalServerError}, kyc.ErrorTypeUnavailable, 0},
		"too slow behind a gateway":     {&didit.APIError{StatusCode: http.StatusGatewayTimeout}, kyc.ErrorTypeUnavailable, 0},
		"down for a known time":         {&didit.APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: time.Minute}, kyc.ErrorTypeUnavailable, time.Minute},
		"down for a day, says a page":   {&didit.APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: 24 * time.Hour}, kyc.ErrorTypeUnavailable, 5 * time.Minute},
		"no answer":                     {context.DeadlineExceeded, kyc.ErrorTypeUnavailable, 0},
		"an answer in no format":        {didit.ErrBadResponse, kyc.ErrorTypeUnavailable, 0},
		"never sent":                    {didit.ErrInvalidArgument, kyc.ErrorTypeRejected, 0},
		"a wrong key":                   {&didit.APIError{StatusCode: http.StatusUnauthorized}, kyc.ErrorTypeUnauthorized, 0},
		"a key without rights":          {&didit.APIError{StatusCode: http.StatusForbidden}, kyc.ErrorTypeUnauthorized, 0},
		"no credit, by status":          {&didit.APIError{StatusCode: http.StatusPaymentRequired}, kyc.ErrorTypeOutOfCredit, 0},
		"no credit, by code":            {&didit.APIError{StatusCode: http.StatusForbidden, Code: "contract_billing_suspended"}, kyc.ErrorTypeOutOfCredit, 0},
		"unknown":                       {&didit.APIError{StatusCode: http.StatusNotFound, Detail: "Not found."}, kyc.ErrorTypeNotFound, 0},
		"a base path that is not Didit": {&didit.APIError{StatusCode: http.StatusNotFound}, kyc.ErrorTypeRejected, 0},
		"no credit, by text":            {&didit.APIError{StatusCode: http.StatusBadRequest, Detail: "Not enough credits."}, kyc.ErrorTypeOutOfCredit, 0},
		"invalid":                       {&didit.APIError{StatusCode: http.StatusBadRequest}, kyc.ErrorTypeRejected, 0},
		"a redirect":                    {&didit.APIError{StatusCode: http.StatusMovedPermanently}, kyc.ErrorTypeRejected, 0},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(err error) {
				t.Helper()
				var app *temporal.ApplicationError
				require.ErrorAs(t, err, &app)
				require.Equal(t, tc.want, app.Type())
				require.False(t, app.NonRetryable(), "whether it is final is the workflow's decision")
				require.GreaterOrEqual(t, app.NextRetryDelay(), tc.atLeast)
				require.LessOrEqual(t, app.NextRetryDelay(), tc.atLeast*12/10, "a tenth more, so that not all come back together")
			}
			d := fakeDidit{
				list:   having(),
				create: func(didit.CreateSessionRequest) (didit.Session, error) { return didit.Session{}, tc.err },
				decide: func(string) (didit.Decision, error) { return didit.Decision{}, tc.err },
			}
			_, err := run[activities.MadeSession](t, d, create, activities.CreateSessionInput{UserID: "u1"})
			check(err)
			_, err = run[activities.Decision](t, d, read, activities.ReadDecisionInput{SessionID: "s1"})
			check(err)
		})
	}
}

func TestListSessionsListsTheUsersOwn(t *testing.T) {
	d := fakeDidit{list: having(made("a", didit.StatusApproved, time.Hour), made("b", didit.StatusInProgress, 0))}
	got, err := run[activities.UserSessions](t, d, func(a *activities.Activities) any { return a.ListSessions }, activities.UserInput{UserID: "u1"})
	require.NoError(t, err)
	require.Len(t, got.Sessions, 2, "Didit takes U1 for the same user; we do not")
	require.Equal(t, "a", got.Sessions[0].SessionID)
	require.Equal(t, flow, got.Policy.WorkflowID)
}

// Another program may make sessions of the same user, and other deployments may share the Didit application.
func TestASessionThatIsNotKnownIsOursByItsMetadata(t *testing.T) {
	for name, tc := range map[string]struct {
		metadata, vendor string
		foreign          []string
	}{
		"ours":                     {`{"kyc_deployment":"production","temporal_run_id":"` + firstRun + `","attempt":2}`, "u1", nil},
		"ours, as JSON text":       {`"{\"kyc_deployment\":\"production\",\"temporal_run_id\":\"` + firstRun + `\",\"attempt\":2.0}"`, "u1", nil},
		"another deployment's":     {`{"kyc_deployment":"staging","temporal_run_id":"` + firstRun + `","attempt":2}`, "u1", []string{"metadata"}},
		"a run's of no deployment": {`{"temporal_run_id":"` + firstRun + `","attempt":2}`, "u1", []string{"metadata"}},
		"of no program":            {`null`, "u1", []string{"metadata"}},
		"another user's":           {`{"kyc_deployment":"production"}`, "u2", []string{"vendor_data"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{decide: func(string) (didit.Decision, error) {
				return didit.Decision{
					SessionID: "s1", VendorData: tc.vendor, WorkflowID: flow, SessionURL: "https://d.example/session/abc",
					Status: didit.StatusInProgress, Metadata: []byte(tc.metadata),
				}, nil
			}}
			in := activities.ReadDecisionInput{SessionID: "s1", UserID: "u1", Ours: true, Link: true}
			got, err := run[activities.Decision](t, d, read, in)
			require.NoError(t, err)
			if tc.foreign != nil {
				require.Equal(t, activities.Decision{Foreign: tc.foreign}, got)
				return
			}
			require.Equal(t, kyc.SessionMetadata{Deployment: deployment, RunID: firstRun, Attempt: 2}, got.Metadata)
			require.Equal(t, kyc.Session{
				SessionID: "s1", SessionToken: "abc", URL: "https://d.example/session/abc", Status: didit.StatusInProgress, WorkflowID: flow,
			}, got.Session)

			in.Ours, in.Link = false, false
			got, err = run[activities.Decision](t, d, read, in)
			require.NoError(t, err)
			require.Zero(t, got.Session, "a link is a secret: it is in history only where it is needed")
			require.Zero(t, got.Metadata)
		})
	}
}
