package activities_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const (
	oldKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newKey = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// testRun is the run id of the SDK's test environment.
const testRun = "default-test-run-id"

var result = activities.SendResultInput{
	RunID: testRun, Type: kyc.ResultCompleted, Sequence: 1, Timestamp: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	State: kyc.State{
		UserID: "u1", SessionID: "s1", WorkflowID: flow, Status: didit.StatusApproved, Outcome: kyc.OutcomeApproved, Attempt: 1,
		Checks: []kyc.Check{{Feature: "LIVENESS", Status: "Approved"}}, Warnings: []string{},
		UpdatedAt: time.Date(2026, 11, 23, 11, 59, 0, 0, time.UTC), CheckedAt: time.Date(2026, 11, 23, 11, 59, 30, 0, time.UTC),
	},
}

// send runs the activity against a callback endpoint.
func send(t *testing.T, target string, in activities.SendResultInput, change ...func(*activities.CallbackSender)) error {
	t.Helper()
	_, err := sendAfter(t, kyc.Snapshot{}, target, in, change...)
	return err
}

// predecessors is what the user's earlier runs said last.
type predecessors struct {
	activities.Runs
	kyc.Snapshot
}

func (p predecessors) Predecessor(context.Context, string, string) (kyc.Snapshot, error) {
	return p.Snapshot, nil
}

// sendAfter is send of a worker whose Temporal knows what earlier runs said.
func sendAfter(t *testing.T, before kyc.Snapshot, target string, in activities.SendResultInput, change ...func(*activities.CallbackSender)) (sent activities.SentResult, err error) {
	t.Helper()
	r, err := activities.NewCallbackSender(target, []string{oldKey, newKey})
	require.NoError(t, err)
	for _, c := range change {
		c(r)
	}
	a := &activities.Activities{Callbacks: r, Runs: predecessors{Snapshot: before}}
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(a.SendResult)
	value, err := env.ExecuteActivity(a.SendResult, in)
	if err != nil {
		return sent, err
	}
	return sent, value.Get(&sent)
}

func failure(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	for _, secret := range []string{"hunter2", "tenant", "127.0.0.1", "/results", "inner"} {
		require.NotContains(t, err.Error(), secret)
	}
	return app
}

// secretly puts a secret into an endpoint's address.
func secretly(s *httptest.Server) string {
	return strings.Replace(s.URL, "://", "://me:hunter2@", 1) + "/results?tenant=hunter2"
}

func TestAResultIsAMessageOfTheSpecification(t *testing.T) {
	var ids []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		for _, key := range []string{oldKey, newKey} {
			wh, err := standardwebhooks.NewWebhook(key)
			if err == nil {
				err = wh.Verify(body, req.Header)
			}
			if err != nil {
				t.Error(err)
			}
		}
		user, password, _ := req.BasicAuth()
		if req.Method != http.MethodPost || req.URL.RequestURI() != "/results?tenant=hunter2" || user != "me" || password != "hunter2" ||
			req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s, content type %q", req.Method, req.URL, req.Header.Get("Content-Type"))
		}
		const want = `{"type":"verification.completed","timestamp":"2026-11-23T12:00:00Z","data":{"user_id":"u1","session_id":"s1",` +
			`"workflow_id":"` + flow + `","status":"Approved","outcome":"approved","attempt":1,"checks":[{"feature":"LIVENESS","status":"Approved"}],"warnings":[],` +
			`"error_type":"","updated_at":"2026-11-23T11:59:00Z","checked_at":"2026-11-23T11:59:30Z"}}`
		if string(body) != want {
			t.Errorf("body %s", body)
		}
		ids = append(ids, req.Header.Get("webhook-id"))
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	require.NoError(t, send(t, secretly(server), result))
	require.NoError(t, send(t, secretly(server), result))
	require.Equal(t, ids[0], ids[1], "the same result has the same id")
	require.Equal(t, "7685f67a-95d8-57be-a7e0-9964d193841d", kyc.ResultID("0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10", 1, result.State),
		"ids never change: endpoints store them")
}

func TestWhatTheCallbackEndpointAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		code   int
		header string // Retry-After
		want   string
		final  bool
		delay  time.Duration
	}{
		"taken":                     {code: http.StatusOK},
		"taken, no content":         {code: http.StatusNoContent},
		"gone":                      {http.StatusGone, "", kyc.ErrorTypeCallbackGone, true, 0},
		"gone, come back":           {http.StatusGone, "5", kyc.ErrorTypeCallbackGone, true, 0},
		"not found":                 {http.StatusNotFound, "", kyc.ErrorTypeCallbackFailed, false, 0},
		"wrong signature":           {http.StatusUnauthorized, "", kyc.ErrorTypeCallbackFailed, false, 0},
		"broken":                    {http.StatusInternalServerError, "", kyc.ErrorTypeCallbackFailed, false, 0},
		"slow down":                 {http.StatusTooManyRequests, "90", kyc.ErrorTypeCallbackFailed, false, 90 * time.Second},
		"down for a day":            {http.StatusServiceUnavailable, "86400", kyc.ErrorTypeCallbackFailed, false, time.Hour},
		"down for ever":             {http.StatusServiceUnavailable, "99999999999999999999", kyc.ErrorTypeCallbackFailed, false, 0},
		"down until a date":         {http.StatusServiceUnavailable, "Fri, 31 Dec 9999 23:59:59 GMT", kyc.ErrorTypeCallbackFailed, false, time.Hour},
		"down until the past":       {http.StatusServiceUnavailable, "Sun, 06 Nov 1994 08:49:37 GMT", kyc.ErrorTypeCallbackFailed, false, 0},
		"a redirect":                {http.StatusPermanentRedirect, "", kyc.ErrorTypeCallbackFailed, false, 0},
		"a redirect that POSTs not": {http.StatusSeeOther, "", kyc.ErrorTypeCallbackFailed, false, 0},
		"not modified":              {http.StatusNotModified, "", kyc.ErrorTypeCallbackFailed, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var followed atomic.Int32
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
			defer elsewhere.Close()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", elsewhere.URL)
				w.Header().Set("Retry-After", tc.header)
				w.WriteHeader(tc.code)
				_, _ = io.WriteString(w, "hunter2")
			}))
			defer server.Close()
			err := send(t, secretly(server), result)
			require.Zero(t, followed.Load(), "a redirect was followed")
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			app := failure(t, err)
			require.Equal(t, tc.want, app.Type())
			require.Equal(t, tc.final, app.NonRetryable())
			require.Equal(t, tc.delay, app.NextRetryDelay())
		})
	}
}

func TestACallbackEndpointThatCannotBeReached(t *testing.T) {
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	})
	closed := httptest.NewServer(nil)
	closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // or the server does not see that we left
		<-req.Context().Done()
	}))
	defer silent.Close()
	stranger := httptest.NewTLSServer(endless)
	defer stranger.Close()
	hangsUp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "hunter2 is not HTTP\r\n\r\n")
			_ = conn.Close()
		}
	}))
	defer hangsUp.Close()
	for name, tc := range map[string]struct {
		url, want string
	}{
		"no listener":            {secretly(closed), "it refuses the connection"},
		"no such host":           {"https://me:hunter2@inner.invalid/results", "its name cannot be resolved"},
		"it never answers":       {secretly(silent), "no answer within"},
		"an unknown certificate": {secretly(stranger), "its TLS certificate does not verify"},
		"it does not speak HTTP": {secretly(hangsUp), "the answer was not HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			app := failure(t, send(t, tc.url, result, func(r *activities.CallbackSender) {
				if tc.url == secretly(silent) {
					r.SetTimeout(100 * time.Millisecond)
				}
			}))
			require.Equal(t, kyc.ErrorTypeCallbackFailed, app.Type())
			require.False(t, app.NonRetryable())
			require.ErrorContains(t, app, tc.want)
		})
	}
	t.Run("it never stops", func(t *testing.T) {
		server := httptest.NewServer(endless)
		defer server.Close()
		require.NoError(t, send(t, server.URL, result), "its 200 counts, and the rest is not read")
	})
}

// An endpoint that always answers "in a second" still gets fewer and fewer callbacks.
func TestRetryAfterOnlyMakesAWaitLonger(t *testing.T) {
	policy := &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute}
	for _, tc := range []struct {
		attempt     int32
		asked, want time.Duration
	}{
		{1, 0, 0},
		{1, time.Second, 0},
		{1, 2 * time.Second, 2 * time.Second},
		{4, 2 * time.Second, 0},
		{4, 9 * time.Second, 9 * time.Second},
		{2_000_000_000, time.Minute, 0},
		{2_000_000_000, time.Hour, time.Hour},
	} {
		require.Equal(t, tc.want, activities.Longer(tc.asked, activity.Info{Attempt: tc.attempt, RetryPolicy: policy}), "%+v", tc)
	}
}

func TestAWorkerWithoutACallbackEndpoint(t *testing.T) {
	a := &activities.Activities{}
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(a.SendResult)
	_, err := env.ExecuteActivity(a.SendResult, result)
	require.Equal(t, kyc.ErrorTypeCallbackFailed, failure(t, err).Type(), "another worker may have one")
	optional := result
	optional.Optional = true
	_, err = env.ExecuteActivity(a.SendResult, optional)
	require.NoError(t, err)
}

// What the runs before a reset reported is for the workflow to judge, so a reset run sends nothing before it knows.
func TestAResetRunLearnsWhatWasReportedBefore(t *testing.T) {
	var posts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posts.Add(1) }))
	defer server.Close()
	reset := result
	reset.RunID = firstRun
	for name, reported := range map[string]*kyc.State{"a result": &result.State, "none, or it is not known": nil} {
		sent, err := sendAfter(t, kyc.Snapshot{State: result.State, Reported: reported}, server.URL, reset)
		require.NoError(t, err, name)
		require.Equal(t, activities.SentResult{
			Reset: true, RunID: testRun, Earlier: activities.Predecessor{State: result.State, Reported: reported, Policy: sent.Earlier.Policy},
		}, sent, name)
		require.Zero(t, posts.Load(), name)
	}
}

// Whether there is a callback endpoint is in the policy, which a workflow has from its session on.
func TestWorkflowsLearnWhetherThereIsACallbackEndpoint(t *testing.T) {
	r, err := activities.NewCallbackSender("http://127.0.0.1/", []string{oldKey})
	require.NoError(t, err)
	d := fakeDidit{list: having()}
	for name, a := range map[string]*activities.Activities{"yes": {Didit: d, Callbacks: r}, "no": {Didit: d}} {
		t.Run(name, func(t *testing.T) {
			env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
			env.RegisterActivity(a)
			value, err := env.ExecuteActivity(a.ListSessions, activities.UserInput{UserID: "u1"})
			require.NoError(t, err)
			var list activities.UserSessions
			require.NoError(t, value.Get(&list))
			require.Equal(t, name == "yes", list.Policy.Callbacks)
		})
	}
}

// laggingList is a list of Temporal's in which a run does not appear.
type laggingList struct{ activities.Runs }

func (laggingList) Predecessor(context.Context, string, string) (kyc.Snapshot, error) {
	return kyc.Snapshot{}, kyc.ErrListLags
}

func TestAPredecessorIsNotReadFromAListThatLags(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &activities.Activities{Runs: laggingList{}}
	env.RegisterActivity(a.FindPredecessor)
	_, err := env.ExecuteActivity(a.FindPredecessor, activities.UserInput{UserID: "u1"})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	require.Equal(t, 250*time.Millisecond, app.NextRetryDelay(), "the list is written a moment after the run")
}
