package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const (
	resultSecret     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	nextResultSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	foreignSecret    = "whsec_plJ3nmyCDGBKInavdOK15jsl14HAKqZa"
)

// signup is the receiver of results. It checks them with the specification's own library.
type signup struct {
	*httptest.Server
	mu       sync.Mutex
	answer   func(try int, w http.ResponseWriter) // default: 204
	messages []message
}

type message struct {
	id     string
	header http.Header
	body   []byte
	result kyc.Result
}

func newSignup(t *testing.T, answer func(try int, w http.ResponseWriter)) *signup {
	t.Helper()
	r := &signup{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		m := message{id: req.Header.Get("webhook-id"), header: req.Header, body: body}
		if verify(resultSecret, body, req.Header) != nil || json.Unmarshal(body, &m.result) != nil {
			t.Errorf("a result that does not verify: %s", body)
		}
		r.mu.Lock()
		r.messages = append(r.messages, m)
		try := len(r.messages)
		answer := r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(try, w)
	}))
	t.Cleanup(r.Close)
	return r
}

func verify(secret string, body []byte, header http.Header) error {
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	return wh.Verify(body, header)
}

func (r *signup) got() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message{}, r.messages...)
}

func (r *signup) answers(answer func(try int, w http.ResponseWriter)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *signup) types() (types []kyc.ResultType) {
	for _, m := range r.got() {
		types = append(types, m.result.Type)
	}
	return types
}

func down(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }

// closed waits until the user's newest run is closed, and returns its result.
func (s *system) closed(user string) (state kyc.State) {
	s.t.Helper()
	require.NoError(s.t, s.Temporal().GetWorkflow(s.within(timeout), kyc.WorkflowID(user), "").Get(s.within(timeout), &state))
	return state
}

func TestTheCallbackEndpointGetsTheResult(t *testing.T) {
	t.Parallel()
	signup := newSignup(t, nil)
	s := start(t, options{resultURL: signup.URL + "/results?tenant=1"})
	began := s.begin("u1")
	s.open(began.Session.URL)
	s.status("u1", didit.StatusInProgress)
	s.press(began.Session.URL, "approve")
	want := s.closed("u1")
	require.Equal(t, kyc.OutcomeApproved, want.Outcome)

	require.Len(t, signup.got(), 1)
	m := signup.got()[0]
	require.Equal(t, kyc.ResultCompleted, m.result.Type)
	require.Equal(t, want, m.result.Data, "the result and the message say the same")
	require.False(t, m.result.Timestamp.IsZero())
	require.Equal(t, kyc.ResultID(began.RunID, 3, want), m.id, "the third change of the run's state: not started, in progress, approved")

	require.NoError(t, verify(nextResultSecret, m.body, m.header), "the second secret verifies too")
	require.Len(t, strings.Fields(m.header.Get("webhook-signature")), 2)
	require.Error(t, verify(foreignSecret, m.body, m.header))
	tampered := []byte(strings.Replace(string(m.body), "approved", "declined", 1))
	require.NotEqual(t, m.body, tampered)
	require.Error(t, verify(resultSecret, tampered, m.header))
	other := m.header.Clone()
	other.Set("webhook-id", "another")
	require.Error(t, verify(resultSecret, m.body, other))

	events := s.history("u1")
	s.affordable(events, 33)
	s.record("u1", "approved-callback")
}

func TestEachStepIsReported(t *testing.T) {
	t.Parallel()
	signup := newSignup(t, nil)
	s := start(t, options{resultURL: signup.URL})
	began := s.begin("u1")
	s.press(began.Session.URL, "review")
	s.eventually(func() bool { return len(signup.got()) == 1 }, "in review")
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusResubmitted))
	s.eventually(func() bool { return len(signup.got()) == 2 }, "resubmitted")
	s.press(began.Session.URL, "approve")
	s.closed("u1")
	s.record("u1", "resubmitted-approved-callbacks")
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusDeclined))
	s.eventually(func() bool { return len(signup.got()) == 4 }, "changed after the end")

	require.Equal(t, []kyc.ResultType{kyc.ResultInReview, kyc.ResultResubmitted, kyc.ResultCompleted, kyc.ResultChanged}, signup.types())
	ids := map[string]bool{}
	for i, m := range signup.got() {
		ids[m.id] = true
		if i > 0 {
			require.True(t, m.result.Data.UpdatedAt.After(signup.got()[i-1].result.Data.UpdatedAt), "results can be ordered by updated_at")
		}
	}
	require.Len(t, ids, 4)
	require.Equal(t, kyc.OutcomeDeclined, signup.got()[3].result.Data.Outcome)
	require.Equal(t, signup.got()[3].result.Data, s.closed("u1"), "the newest run and the newest result are the same")
	s.record("u1", "late-decline-callback")
}

func TestACallbackEndpointThatFailsGetsTheSameMessageAgain(t *testing.T) {
	t.Parallel()
	signup := newSignup(t, func(try int, w http.ResponseWriter) {
		switch try {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2: // hangs up; it may have taken the message
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		case 3:
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	})
	s := start(t, options{resultURL: signup.URL})
	s.press(s.begin("u1").Session.URL, "decline")
	require.Equal(t, kyc.OutcomeDeclined, s.closed("u1").Outcome)
	messages := signup.got()
	require.Len(t, messages, 4)
	for _, m := range messages[1:] {
		require.Equal(t, messages[0].id, m.id)
		require.Equal(t, string(messages[0].body), string(m.body))
	}
	s.record("u1", "declined-callback-retried")
}

func TestACallbackEndpointThatIsGoneIsNotCalledAgain(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	signup := newSignup(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusGone) })
	s := start(t, options{resultURL: signup.URL})
	s.press(s.begin("u1").Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.closed("u1").Outcome, "the verdict is not lost")
	require.Len(t, signup.got(), 1)
	s.record("u1", "approved-callback-gone")
}

func TestAVerificationWithoutASessionIsReportedToo(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	signup := newSignup(t, nil)
	s := start(t, options{resultURL: signup.URL, workerKey: "a-key-of-nobody"})
	_, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1"})
	require.Error(t, err)
	require.Equal(t, kyc.OutcomeFailed, s.closed("u1").Outcome)
	require.Equal(t, []kyc.ResultType{kyc.ResultFailed}, signup.types())
	require.Equal(t, kyc.ErrorTypeUnauthorized, signup.got()[0].result.Data.ErrorType)
	s.record("u1", "unauthorized-callback")
}

// A callback endpoint that is down hides no verdict, and no caller waits for it.
func TestACallbackEndpointThatIsDownHidesNothing(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	signup := newSignup(t, down)
	s := start(t, options{resultURL: signup.URL})
	first := s.begin("u1")
	s.press(first.Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, s.runStatus("u1"))
	s.eventually(func() bool { return s.finds(`KycWaitingFor = "callback" AND KycOutcome = "approved"`) }, "it shows in the list")

	again := s.begin("u1")
	require.Equal(t, kyc.OutcomeApproved, again.State.Outcome)
	require.Empty(t, again.Session.URL, "a decided user gets no URL")
	require.Equal(t, first.RunID, again.RunID)

	// The reviewer changes his mind before the receiver is back.
	require.NoError(t, s.sim.SetStatus(first.Session.SessionID, didit.StatusDeclined))
	s.status("u1", didit.StatusDeclined)
	require.Equal(t, kyc.OutcomeDeclined, s.result("u1").Outcome)
	s.eventually(func() bool { return s.delivered(didit.StatusDeclined, http.StatusOK) }, "the update was taken")
	s.eventually(func() bool { return len(signup.newest()) == 2 }, "both messages are tried")

	// The user verifies again, in the same run: it still has results to deliver.
	second, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1", Reverify: true})
	require.NoError(t, err)
	require.False(t, second.New)
	require.Equal(t, first.RunID, second.RunID)
	require.NotEqual(t, first.Session.SessionID, second.Session.SessionID)
	signup.answers(nil)
	s.press(second.Session.URL, "approve")
	got := s.closed("u1")
	require.Equal(t, second.Session.SessionID, got.SessionID)
	require.Equal(t, kyc.OutcomeApproved, got.Outcome)
	require.Equal(t, map[string]int{
		"verification.completed approved " + first.Session.SessionID: 1, "verification.changed declined " + first.Session.SessionID: 1,
		"verification.completed approved " + second.Session.SessionID: 1,
	}, signup.distinct())
	s.record("u1", "callback-waits-reverified")
}

// Didit failed a user whose result was not delivered: coming back begins anew at once.
func TestAnAbandonedUserComesBackWhileTheCallbackEndpointIsDown(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	signup := newSignup(t, down)
	s := start(t, options{resultURL: signup.URL})
	first := s.begin("u1")
	s.press(first.Session.URL, "abandon")
	require.Equal(t, kyc.OutcomeAbandoned, s.result("u1").Outcome)
	second := s.begin("u1")
	require.Equal(t, first.RunID, second.RunID, "the run is open while it delivers")
	require.NotEqual(t, first.Session.URL, second.Session.URL)
	require.Equal(t, 2, s.sessionsOf("u1"))
	signup.answers(nil)
	s.press(second.Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.closed("u1").Outcome)
	require.Equal(t, map[string]int{
		"verification.completed abandoned " + first.Session.SessionID: 1, "verification.completed approved " + second.Session.SessionID: 1,
	}, signup.distinct())
	s.record("u1", "callback-waits-again")
}

func (s *system) runStatus(user string) enumspb.WorkflowExecutionStatus {
	s.t.Helper()
	desc, err := s.Temporal().DescribeWorkflow(s.within(timeout), kyc.WorkflowID(user), "")
	require.NoError(s.t, err)
	return desc.RawResponse.GetWorkflowExecutionInfo().GetStatus()
}

// distinct counts what was sent, without repeats, as "type outcome session".
func (r *signup) distinct() map[string]int {
	n := map[string]int{}
	for _, x := range r.newest() {
		n[fmt.Sprintf("%s %s %s", x.Type, x.Data.Outcome, x.Data.SessionID)]++
	}
	return n
}

// newest returns the results that came, by id: what a receiver that knows repeats has.
func (r *signup) newest() map[string]kyc.Result {
	m := map[string]kyc.Result{}
	for _, x := range r.got() {
		m[x.id] = x.result
	}
	return m
}
