package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

func TestApprovedInTheBrowser(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	began := s.begin("u1")
	require.True(t, began.New)
	require.Equal(t, didit.StatusNotStarted, began.State.Status)

	s.open(began.Session.URL)
	s.status("u1", didit.StatusInProgress)
	s.press(began.Session.URL, "approve")

	got := s.result("u1")
	require.Equal(t, kyc.OutcomeApproved, got.Outcome)
	require.Equal(t, didit.StatusApproved, got.Status)
	require.Equal(t, began.Session.SessionID, got.SessionID)
	require.Equal(t, 1, got.Attempt)
	require.NotEmpty(t, got.Checks)
	for _, c := range got.Checks {
		require.Equal(t, "Approved", c.Status, c.Feature)
	}
	events := s.history("u1")
	s.affordable(events, 32)
	s.record("u1", "approved")
}

// What the person's browser shows must not reach the history: the simulator's decisions are full of it.
func TestHistoryHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	url := s.begin("u1").Session.URL
	s.press(url, "decline")
	require.Equal(t, kyc.OutcomeDeclined, s.result("u1").Outcome)
	text := fmt.Sprint(s.history("u1"))
	for _, personal := range []string{"first_name", "last_name", "date_of_birth", "document_number", "portrait", "id_verifications"} {
		require.NotContains(t, text, personal)
	}
	token := url[len(url)-12:]
	require.False(t, s.logs.contain(token), "a log line holds the session token")
}

func TestStartedTwice(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	first := s.begin("u1")
	s.open(first.Session.URL)
	s.status("u1", didit.StatusInProgress)

	again := s.begin("u1")
	require.False(t, again.New)
	require.Equal(t, first.RunID, again.RunID)
	require.Equal(t, first.Session.URL, again.Session.URL)
	require.Equal(t, didit.StatusInProgress, again.Session.Status, "the status of now, not of then")
	require.Equal(t, 1, s.sessionsOf("u1"))

	s.press(first.Session.URL, "approve")
	s.result("u1")
	decided := s.begin("u1")
	require.False(t, decided.New)
	require.Equal(t, first.RunID, decided.RunID)
	require.Equal(t, kyc.OutcomeApproved, decided.State.Outcome)
	require.Empty(t, decided.Session.URL)
	require.Equal(t, 1, s.sessionsOf("u1"))

	reverified, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1", Reverify: true})
	require.NoError(t, err)
	require.True(t, reverified.New)
	require.NotEqual(t, first.Session.SessionID, reverified.Session.SessionID)
	require.Equal(t, 2, s.sessionsOf("u1"))
}

func TestReviewThenApproved(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	url := s.begin("u1").Session.URL
	s.press(url, "review")
	s.status("u1", didit.StatusInReview)
	s.press(url, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
	s.record("u1", "review-approved")
}

func TestAskedAgainThenDeclined(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	began := s.begin("u1")
	s.press(began.Session.URL, "review")
	s.status("u1", didit.StatusInReview)
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusResubmitted))
	s.status("u1", didit.StatusResubmitted)
	s.press(began.Session.URL, "decline")
	got := s.result("u1")
	require.Equal(t, kyc.OutcomeDeclined, got.Outcome)
	require.Equal(t, 2, got.Attempt)
	s.record("u1", "resubmitted-declined")
}

func TestAbandonedUserStartsAfresh(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	first := s.begin("u1")
	s.press(first.Session.URL, "abandon")
	require.Equal(t, kyc.OutcomeAbandoned, s.result("u1").Outcome)
	s.record("u1", "abandoned")
	second := s.begin("u1")
	require.True(t, second.New)
	require.NotEqual(t, first.Session.URL, second.Session.URL)
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	s := start(t, options{sessionDeadline: time.Second})
	s.begin("u1")
	require.Equal(t, kyc.OutcomeExpired, s.result("u1").Outcome)
	s.record("u1", "deadline")
}

func TestForgedWebhookChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	began := s.begin("u1")
	s.open(began.Session.URL)
	s.eventually(func() bool { return s.signals("u1") == 1 }, "the genuine webhook of the opened page")
	body := fmt.Appendf(nil, `{"event_id":"%s","webhook_type":"status.updated","timestamp":%d,"created_at":%d,"session_id":"%s","status":"Approved","vendor_data":"u1"}`,
		flow, time.Now().Unix(), time.Now().Unix(), began.Session.SessionID)
	for name, forge := range map[string]func(http.Header){
		"no signature":     func(http.Header) {},
		"another's secret": func(h http.Header) { h.Set(didit.HeaderSignature, didit.Sign("a secret of somebody else", body)) },
		"only Simple": func(h http.Header) {
			h.Set(didit.HeaderSignatureSimple, didit.SignSimple(secret, time.Now().Unix(), began.Session.SessionID, "Approved", "status.updated"))
		},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.webhookURL, bytes.NewReader(body))
		require.NoError(t, err)
		forge(req.Header)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		require.GreaterOrEqual(t, res.StatusCode, 400, name)
		require.Less(t, res.StatusCode, 500, name)
	}
	require.Equal(t, 1, s.signals("u1"), "a forged webhook reached Temporal")
}

func TestTemporalDownMakesDiditSendAgain(t *testing.T) {
	t.Parallel()
	s := start(t, options{
		server:         tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")},
		webhookRetries: slices.Repeat([]time.Duration{3 * time.Second}, 30), // however long the server takes to come back
	})
	began := s.begin("u1")
	s.open(began.Session.URL)
	s.status("u1", didit.StatusInProgress)
	require.NoError(t, s.server.Kill())
	s.press(began.Session.URL, "approve")
	s.eventually(func() bool { return s.delivered(didit.StatusApproved, http.StatusServiceUnavailable) }, "503 while Temporal is down")
	require.NoError(t, s.server.Restart(s.within(timeout)))
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
	require.True(t, s.delivered(didit.StatusApproved, http.StatusOK), "the retry was accepted")
}

func TestWrongAPIKey(t *testing.T) {
	t.Parallel()
	s := start(t, options{workerKey: "a-key-of-nobody"})
	_, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1"})
	var refused *kyc.SessionError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, kyc.ErrorTypeUnauthorized, refused.Type)
	require.ErrorContains(t, err, "DIDIT_API_KEY")
	got := s.result("u1")
	require.Equal(t, kyc.OutcomeFailed, got.Outcome)
	require.Equal(t, kyc.ErrorTypeUnauthorized, got.ErrorType)
	require.Contains(t, fmt.Sprint(s.history("u1")), kyc.ErrorTypeUnauthorized)
	s.record("u1", "unauthorized")
}

func TestRateLimitedCreateIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{
		Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}, Times: 2,
	})
	s.begin("u1")
	require.Equal(t, 2, s.sim.CallCount(diditsim.EndpointCreate, http.StatusTooManyRequests))
	require.Equal(t, 1, s.sessionsOf("u1"))
	s.record("u1", "rate-limited")
}

func TestSearchAttributesShowTheState(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	url := s.begin("u1").Session.URL
	find := func(query string) {
		t.Helper()
		s.eventually(func() bool { return s.finds(query + ` AND WorkflowId = "kyc-u1"`) }, query)
	}
	find(`KycStatus = "Not Started" AND KycWaitingFor = "user" AND KycAttempt = 1 AND KycDeadline > "` + time.Now().Format(time.RFC3339) + `"`)
	s.press(url, "review")
	find(`KycStatus = "In Review" AND KycWaitingFor = "review" AND KycDeadline IS NULL`)
	s.press(url, "decline")
	s.result("u1")
	find(`KycStatus = "Declined" AND KycOutcome = "declined" AND DiditSessionId = "` + s.sim.Sessions()[0].ID + `"`)
}

func TestBadUserIDsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for _, id := range []string{"", "someone@example.com", string(bytes.Repeat([]byte("a"), 129)), "-x", "a b"} {
		_, err := s.Start(s.within(timeout), kyc.Input{UserID: id})
		assert.ErrorIs(t, err, kyc.ErrInvalidInput, strconv.Quote(id))
	}
	_, err := s.State(s.within(timeout), "nobody")
	require.ErrorIs(t, err, kyc.ErrNotFound)
	require.Empty(t, s.sim.Sessions())
}

// delivered reports whether a webhook of the status was answered with the code.
func (s *system) delivered(status didit.Status, code int) bool {
	for _, d := range s.sim.Deliveries() {
		if d.Status == status && d.Code == code {
			return true
		}
	}
	return false
}

// history reads the history of the user's newest run.
func (s *system) history(user string) []*historypb.HistoryEvent {
	s.t.Helper()
	return s.historyOf(kyc.WorkflowID(user), "")
}

func (s *system) historyOf(workflowID, runID string) []*historypb.HistoryEvent {
	s.t.Helper()
	var events []*historypb.HistoryEvent
	it := s.Temporal().GetWorkflowHistory(s.within(timeout), workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		ev, err := it.Next()
		require.NoError(s.t, err)
		events = append(events, ev)
	}
	return events
}
