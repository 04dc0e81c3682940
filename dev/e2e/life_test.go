package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// A user's life, as docs/adr/0012-one-user-one-truth.md has it: whatever happens, START, GET, Wait, the list, the newest
// result and Didit say the same once things are at rest, and nothing is paid twice.

// inbox is a callback endpoint that is down for some users.
type inbox struct {
	*httptest.Server
	mu   sync.Mutex
	down map[string]bool
	got  map[string][]kyc.Result // by user, what was taken
	seen map[string]bool         // by webhook-id
	hook map[string]func()       // by user, runs before the answer
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	b := &inbox{down: map[string]bool{}, got: map[string][]kyc.Result{}, seen: map[string]bool{}, hook: map[string]func(){}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var r kyc.Result
	if json.NewDecoder(req.Body).Decode(&r) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !b.take(req.Header.Get("webhook-id"), r) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	b.mu.Lock()
	hook := b.hook[r.Data.UserID]
	delete(b.hook, r.Data.UserID)
	b.mu.Unlock()
	if hook != nil {
		hook()
	}
}

func (b *inbox) take(id string, r kyc.Result) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down[r.Data.UserID] {
		return false
	}
	if !b.seen[id] {
		b.seen[id] = true
		b.got[r.Data.UserID] = append(b.got[r.Data.UserID], r)
	}
	return true
}

// beforeAnswer runs f between the next result of the user and its answer.
func (b *inbox) beforeAnswer(user string, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hook[user] = f
}

func (b *inbox) close(user string, down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down[user] = down
}

func (b *inbox) results(user string) []kyc.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got[user])
}

// life is one user in a system with an HTTP API and a callback endpoint.
type life struct {
	*served
	inbox *inbox
	user  string
}

// atTheSameTime runs each life on one system, all at once.
func atTheSameTime(t *testing.T, o options, all map[string]func(*life)) {
	t.Helper()
	b := newInbox(t)
	o.resultURL = b.URL
	s := start(t, o)
	a := serveAPI(s)
	s.atOnce(slices.Collect(maps.Keys(all)), func(s *system, name string) {
		sub := *a
		sub.system = s
		user := strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(name)
		all[name](&life{served: &sub, inbox: b, user: user})
	})
}

// start is START; more are fields of the input.
func (l *life) start(more string) reply {
	l.t.Helper()
	return l.post(`{"user_id":"` + l.user + `"` + more + `}`)
}

// began is START of a user who is unknown.
func (l *life) began() reply {
	l.t.Helper()
	r := l.start("")
	require.Equal(l.t, http.StatusCreated, r.code, r.raw)
	require.NotEmpty(l.t, r.URL)
	return r
}

// decided is a user with a verdict, and nothing pending.
func (l *life) decided(button string) reply {
	l.t.Helper()
	r := l.began()
	l.press(r.URL, button)
	l.closed(l.user)
	return r
}

// becomes moves a session at Didit.
func (l *life) becomes(session string, statuses ...didit.Status) {
	l.t.Helper()
	for _, st := range statuses {
		require.NoError(l.t, l.sim.SetStatus(session, st))
	}
}

// shows waits until GET shows a status of a session.
func (l *life) shows(session string, want didit.Status) reply {
	l.t.Helper()
	var r reply
	l.eventually(func() bool {
		r = l.get("/" + l.user)
		return r.code == http.StatusOK && r.Status == want && r.SessionID == session
	}, "GET shows "+string(want))
	return r
}

// atRest checks that everything says the same about the user, and that Didit has as many sessions.
func (l *life) atRest(session string, want kyc.Outcome, sessions int) {
	l.t.Helper()
	l.eventually(func() bool { return l.closed(l.user).Outcome == want }, "the newest run ends as "+string(want))
	state := l.closed(l.user)
	require.Equal(l.t, session, state.SessionID)
	at, ok := l.sim.Session(session)
	require.True(l.t, ok)
	require.Equal(l.t, at.Status, state.Status, "what Didit says")
	got := l.get("/" + l.user)
	require.Equal(l.t, http.StatusOK, got.code, got.raw)
	require.Equal(l.t, state, got.State, "GET")
	require.Empty(l.t, got.URL)
	waited, err := l.Wait(l.within(timeout), l.user)
	require.NoError(l.t, err)
	require.Equal(l.t, state, waited, "Wait")
	if want.Decided() {
		again := l.start("")
		require.Equal(l.t, http.StatusOK, again.code, again.raw)
		require.Equal(l.t, state, again.State, "START")
		require.Empty(l.t, again.URL)
	}
	l.eventually(func() bool {
		return l.finds(fmt.Sprintf("WorkflowId = 'kyc-%s' AND KycOutcome = '%s' AND DiditSessionId = '%s' AND ExecutionStatus = 'Completed'", l.user, want, session))
	}, "the list")
	results := l.inbox.results(l.user)
	require.NotEmpty(l.t, results)
	require.True(l.t, state.SameAs(results[len(results)-1].Data), "the newest result: %+v", results[len(results)-1])
	forgotten := strings.HasPrefix(l.user, "deleted") // Temporal knows nothing of what it reported
	for i := range results[1:] {
		require.False(l.t, !forgotten && results[i].Data.SameAs(results[i+1].Data), "one change is reported once: %+v", results)
	}
	require.Equal(l.t, sessions, l.sessionsOf(l.user), "sessions at Didit")
}

// event posts a signed webhook about the user's session, in which fields replaces what is genuine.
func (l *life) event(session string, status didit.Status, fields map[string]any, sign func(http.Header, []byte)) int {
	l.t.Helper()
	now := time.Now().Unix()
	ev := map[string]any{
		"event_id": uuid.NewString(), "webhook_type": didit.EventStatusUpdated, "timestamp": now, "created_at": now, "environment": "live",
		"session_id": session, "status": status, "vendor_data": l.user, "metadata": map[string]any{"kyc_deployment": l.Namespace(), "attempt": 1},
	}
	maps.Copy(ev, fields)
	body, err := json.Marshal(ev)
	require.NoError(l.t, err)
	req, err := http.NewRequestWithContext(l.within(timeout), http.MethodPost, l.webhookURL, strings.NewReader(string(body)))
	require.NoError(l.t, err)
	sign(req.Header, body)
	res, err := http.DefaultClient.Do(req)
	require.NoError(l.t, err)
	require.NoError(l.t, res.Body.Close())
	return res.StatusCode
}

func raw(h http.Header, body []byte) { h.Set(didit.HeaderSignature, didit.Sign(secret, body)) }

// create asks Didit for a session of the user as another program would.
func (l *life) create(metadata string) {
	l.t.Helper()
	body := fmt.Sprintf(`{"workflow_id":%q,"vendor_data":%q,"metadata":%s}`, flow, l.user, metadata)
	req, err := http.NewRequestWithContext(l.within(timeout), http.MethodPost, l.simURL+"/v3/session/", strings.NewReader(body))
	require.NoError(l.t, err)
	req.Header.Set("X-Api-Key", apiKey)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(l.t, err)
	require.NoError(l.t, res.Body.Close())
	require.Equal(l.t, http.StatusCreated, res.StatusCode)
}

// reset resets the user's newest run to its first task, as the Web UI does.
func (s *system) reset(workflowID string) string {
	s.t.Helper()
	var first int64
	for _, ev := range s.historyOf(workflowID, "") {
		if ev.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			first = ev.GetEventId()
			break
		}
	}
	res, err := s.Temporal().ResetWorkflowExecution(s.within(timeout), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID}, Reason: "a test",
		WorkflowTaskFinishEventId: first, RequestId: uuid.NewString(),
	})
	require.NoError(s.t, err)
	return res.GetRunId()
}

func (s *system) deleteRun(user string) {
	s.t.Helper()
	x := &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(user)}
	_, err := s.Temporal().WorkflowService().DeleteWorkflowExecution(s.within(timeout), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: x,
	})
	require.NoError(s.t, err)
	s.eventually(func() bool {
		_, err := s.Temporal().DescribeWorkflow(s.within(timeout), x.GetWorkflowId(), "")
		return err != nil
	}, "the run is deleted")
}
