package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	"go.temporal.io/sdk/client"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
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
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	b := &inbox{down: map[string]bool{}, got: map[string][]kyc.Result{}, seen: map[string]bool{}}
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
	b.mu.Lock()
	defer b.mu.Unlock()
	id := req.Header.Get("webhook-id")
	switch {
	case b.down[r.Data.UserID]:
		w.WriteHeader(http.StatusServiceUnavailable)
	case !b.seen[id]:
		b.seen[id] = true
		b.got[r.Data.UserID] = append(b.got[r.Data.UserID], r)
	}
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

// began is START of a user whom nobody knows.
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
	waited, err := l.Wait(l.within(patience), l.user)
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
	for i := range results[1:] {
		require.False(l.t, results[i].Data.SameAs(results[i+1].Data), "one change is reported once: %+v", results)
	}
	require.Equal(l.t, sessions, l.sessionsOf(l.user), "sessions at Didit")
}

// loses drops the user's webhooks. It is for systems in which nobody else loses any.
func (s *system) loses(users *sync.Map) {
	s.sim.SetWebhookScript(func(e diditsim.Event) []diditsim.Send {
		if _, lost := users.Load(e.VendorData); lost {
			return nil
		}
		return []diditsim.Send{{}}
	})
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
	req, err := http.NewRequestWithContext(l.within(patience), http.MethodPost, l.webhookURL, strings.NewReader(string(body)))
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
	req, err := http.NewRequestWithContext(l.within(patience), http.MethodPost, l.simURL+"/v3/session/", strings.NewReader(body))
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
	res, err := s.Temporal().ResetWorkflowExecution(s.within(patience), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID}, Reason: "a test",
		WorkflowTaskFinishEventId: first, RequestId: uuid.NewString(),
	})
	require.NoError(s.t, err)
	return res.GetRunId()
}

func (s *system) deleteRun(user string) {
	s.t.Helper()
	x := &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(user)}
	_, err := s.Temporal().WorkflowService().DeleteWorkflowExecution(s.within(patience), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: x,
	})
	require.NoError(s.t, err)
	s.eventually(func() bool {
		_, err := s.Temporal().DescribeWorkflowExecution(s.within(patience), x.GetWorkflowId(), "")
		return err != nil
	}, "the run is deleted")
}

func TestOneUserOneTruth(t *testing.T) {
	t.Parallel()
	atTheSameTime(t, options{}, map[string]func(*life){
		"an approval that is reopened is in review and buys nothing": func(l *life) {
			a := l.decided("approve")
			l.becomes(a.SessionID, didit.StatusInReview)
			got := l.shows(a.SessionID, didit.StatusInReview)
			require.Empty(l.t, got.URL, "the person has nothing to do")
			again := l.start("")
			require.Equal(l.t, http.StatusOK, again.code, again.raw)
			require.Equal(l.t, didit.StatusInReview, again.Status)
			require.Equal(l.t, a.SessionID, again.SessionID)
			require.Empty(l.t, again.URL)
			require.Empty(l.t, again.Outcome)
			require.Equal(l.t, 1, l.sessionsOf(l.user))
			l.becomes(a.SessionID, didit.StatusDeclined)
			l.shows(a.SessionID, didit.StatusDeclined)
			l.atRest(a.SessionID, kyc.OutcomeDeclined, 1)
			l.record(l.user, "reopened-declined")
		},
		"a reopened approval that is approved again is approved": func(l *life) {
			a := l.decided("approve")
			l.becomes(a.SessionID, didit.StatusInReview)
			l.shows(a.SessionID, didit.StatusInReview)
			l.start("")
			l.becomes(a.SessionID, didit.StatusApproved)
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
		"a reviewer approves the session that the person abandoned": func(l *life) {
			a := l.decided("abandon")
			b := l.start("")
			require.NotEqual(l.t, a.SessionID, b.SessionID)
			l.becomes(a.SessionID, didit.StatusApproved)
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1) // nobody had opened the other one
			l.record(l.user, "older-approved-callback")
		},
		"a user in review sees no link": func(l *life) {
			a := l.began()
			require.NotEmpty(l.t, l.get("/"+l.user).URL)
			l.press(a.URL, "review")
			require.Empty(l.t, l.shows(a.SessionID, didit.StatusInReview).URL)
			require.NotContains(l.t, l.get("/"+l.user).raw, a.URL)
			require.Empty(l.t, l.start("").URL)
		},
		"the flow is part of the answer": func(l *life) {
			a := l.began()
			require.Equal(l.t, flow, a.WorkflowID)
			for range 2 { // open, then closed
				other := l.start(`,"workflow_id":"` + flow2 + `"`)
				require.Equal(l.t, http.StatusConflict, other.code, other.raw)
				require.Equal(l.t, "/problems/other-flow", other.Problem.Type)
				require.Contains(l.t, other.Problem.Detail, flow)
				require.Contains(l.t, other.Problem.Detail, flow2)
				same := l.start(`,"workflow_id":"` + flow + `"`)
				require.Equal(l.t, a.SessionID, same.SessionID)
				if same.Outcome == "" {
					l.press(a.URL, "approve")
					l.closed(l.user)
				}
			}
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			b := l.start(`,"reverify":true,"workflow_id":"` + flow2 + `"`)
			require.Equal(l.t, flow2, b.WorkflowID, b.raw)
			l.press(b.URL, "decline")
			l.closed(l.user)
			l.atRest(b.SessionID, kyc.OutcomeDeclined, 2)
			l.record(l.user, "reverified-other-flow")
		},
		"a late Resubmitted is the same attempt for everyone": func(l *life) {
			a := l.decided("decline")
			l.becomes(a.SessionID, didit.StatusResubmitted)
			got := l.shows(a.SessionID, didit.StatusResubmitted)
			require.Equal(l.t, 2, got.Attempt)
			require.Equal(l.t, a.URL, got.URL, "the person must come back")
			again := l.start("")
			require.Equal(l.t, 2, again.Attempt)
			require.Equal(l.t, a.URL, again.URL)
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			l.record(l.user, "late-resubmitted-approved")
		},
	})
}

// Another program may ask Didit for a session of the same user: Didit overwrites the metadata.
func TestMetadataThatAnotherProgramOverwroteLosesNothing(t *testing.T) {
	t.Parallel()
	all := map[string]func(*life){}
	for name, metadata := range map[string]string{
		"an object of another shop": `{"shop":1}`, "null": `null`, "json text": `"{\"kyc_deployment\":\"another\"}"`,
	} {
		all["metadata is "+name] = func(l *life) {
			a := l.began()
			l.create(metadata)
			require.Equal(l.t, 1, l.sessionsOf(l.user))
			l.press(a.URL, "approve")
			l.closed(l.user)
			l.becomes(a.SessionID, didit.StatusDeclined)
			l.shows(a.SessionID, didit.StatusDeclined)
			l.atRest(a.SessionID, kyc.OutcomeDeclined, 1)
		}
	}
	atTheSameTime(t, options{}, all)
}

func TestEventsThatAreLateLostOrStrange(t *testing.T) {
	t.Parallel()
	var lost sync.Map
	all := map[string]func(*life){
		"a link that expired unseen is replaced": func(l *life) {
			a := l.began()
			lost.Store(l.user, true)
			l.becomes(a.SessionID, didit.StatusExpired)
			var b reply
			// An old link is handed out again for a minute at most.
			require.Eventually(l.t, func() bool { b = l.start(""); return b.SessionID != a.SessionID }, patience, time.Second, "a fresh link")
			require.NotEmpty(l.t, b.URL)
			require.NotEqual(l.t, a.URL, b.URL)
			require.Equal(l.t, 2, l.sessionsOf(l.user))
			lost.Delete(l.user)
			l.press(b.URL, "approve")
			l.shows(b.SessionID, didit.StatusApproved)
			l.atRest(b.SessionID, kyc.OutcomeApproved, 2)
			l.record(l.user, "expired-unseen")
		},
		"a decision that lags its webhook is read again soon": func(l *life) {
			a := l.began()
			l.open(a.URL)
			l.shows(a.SessionID, didit.StatusInProgress)
			path := "/v3/session/" + a.SessionID + "/decision/"
			l.sim.FailNext(http.MethodGet, path, diditsim.Fault{Status: http.StatusOK, Body: l.decisionOf(a.SessionID), Times: 2})
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved) // long before the first poll
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			l.record(l.user, "decision-lags")
		},
		"a time from the future orders nothing": func(l *life) {
			a := l.began()
			for _, at := range []int64{1 << 53, time.Now().UnixMilli(), 0} {
				require.Equal(l.t, http.StatusOK, l.event(a.SessionID, didit.StatusInProgress, map[string]any{"created_at": at}, raw))
			}
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
		"nothing is reported that the decision does not confirm": func(l *life) {
			a := l.began()
			for _, st := range []didit.Status{didit.StatusInReview, didit.StatusResubmitted, didit.StatusApproved} {
				require.Equal(l.t, http.StatusOK, l.event(a.SessionID, st, nil, raw))
			}
			got, err := l.Refresh(l.within(patience), l.user, kyc.Request{Operator: jo})
			require.NoError(l.t, err)
			require.Equal(l.t, 3, l.signals(l.user))
			require.Equal(l.t, 1, got.Attempt)
			require.Equal(l.t, didit.StatusNotStarted, got.Status)
			require.Empty(l.t, l.inbox.results(l.user))
		},
		"metadata in another writing begins a run": func(l *life) {
			a := l.decided("approve")
			lost.Store(l.user, true)
			l.becomes(a.SessionID, didit.StatusDeclined)
			code := l.event(a.SessionID, didit.StatusDeclined, map[string]any{"metadata": json.RawMessage(
				`{"kyc_deployment":"` + l.Namespace() + `","attempt":1.0,"Temporal_Run_ID":"x","temporal_run_id":"` + a.RunID + `"}`)},
				func(h http.Header, body []byte) {
					v2, err := didit.SignV2(secret, body)
					require.NoError(l.t, err)
					h.Set(didit.HeaderSignatureV2, v2)
				})
			require.Equal(l.t, http.StatusOK, code)
			l.shows(a.SessionID, didit.StatusDeclined)
			l.atRest(a.SessionID, kyc.OutcomeDeclined, 1)
		},
		"a damaged signal is dropped": func(l *life) {
			a := l.began()
			for encoding, data := range map[string]string{"json/plain": "{", "binary/nonsense": "x", "binary/kyc-aes256gcm": "too short"} {
				_, err := l.Temporal().WorkflowService().SignalWorkflowExecution(l.within(patience), &workflowservice.SignalWorkflowExecutionRequest{
					Namespace: l.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(l.user)},
					SignalName: kyc.SignalDiditEvent, Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
						Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: []byte(data),
					}}},
				})
				require.NoError(l.t, err)
			}
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
	}
	b := newInbox(t)
	s := start(t, options{resultURL: b.URL})
	a := serveAPI(s)
	s.loses(&lost)
	s.atOnce(slices.Collect(maps.Keys(all)), func(s *system, name string) {
		sub := *a
		sub.system = s
		all[name](&life{served: &sub, inbox: b, user: strings.ReplaceAll(name, " ", "-")})
	})
}

// decisionOf is what Didit says of a session now.
func (s *system) decisionOf(id string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.within(patience), http.MethodGet, s.simURL+"/v3/session/"+id+"/decision/", nil)
	require.NoError(s.t, err)
	req.Header.Set("X-Api-Key", apiKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	var body json.RawMessage
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&body))
	return string(body)
}

// Two deployments share a Didit application and its webhook secret: each is sent every event.
func TestTwoDeploymentsNeverTouchEachOthersUsers(t *testing.T) {
	t.Parallel()
	boxA, boxB := newInbox(t), newInbox(t)
	a := start(t, options{resultURL: boxA.URL, deployment: "production"})
	hookA := a.webhookURL
	b := start(t, options{resultURL: boxB.URL, deployment: "staging", beside: a})
	both := httptest.NewServer(sendToBoth(hookA, b.webhookURL))
	t.Cleanup(both.Close)
	a.sim.SetWebhook(both.URL, secret)

	l := &life{served: serveAPI(a), inbox: boxA, user: "1001"}
	mine := l.decided("approve")
	require.NoError(t, a.sim.Wait(a.within(patience)))
	require.Zero(t, b.count("WorkflowId = 'kyc-1001'"), "it is not a user of the other one")
	_, err := b.State(b.within(patience), "1001")
	require.ErrorIs(t, err, kyc.ErrNotFound)

	// A session that neither of them made, though it names a run.
	stranger := &life{served: l.served, inbox: boxA, user: "1002"}
	stranger.create(`{"temporal_run_id":"` + uuid.NewString() + `"}`)
	x := a.sim.SessionsOf("1002")[0]
	stranger.becomes(x.ID, didit.StatusInProgress, didit.StatusApproved)

	// The other one verifies the same user: a session of its own, and its own verdict.
	theirs, err := b.Start(b.within(patience), kyc.Input{UserID: "1001"})
	require.NoError(t, err)
	require.NotEqual(t, mine.SessionID, theirs.Session.SessionID)
	b.press(theirs.Session.URL, "decline")
	require.Equal(t, kyc.OutcomeDeclined, b.closed("1001").Outcome)
	require.NoError(t, a.sim.Wait(a.within(patience)))
	require.Equal(t, kyc.OutcomeApproved, a.closed("1001").Outcome)
	require.Len(t, boxA.results("1001"), 1)
	require.Len(t, boxB.results("1001"), 1)
	for _, s := range []*system{a, b} {
		require.Zero(t, s.count("WorkflowId = 'kyc-1002'"))
	}
	require.Empty(t, append(boxA.results("1002"), boxB.results("1002")...))
}

// sendToBoth hands each webhook to both, as two destinations of one application would get it, and answers the worse.
func sendToBoth(urls ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		worst := 0
		for _, u := range urls {
			out, err := http.NewRequestWithContext(req.Context(), http.MethodPost, u, bytes.NewReader(body))
			if err != nil {
				worst = http.StatusInternalServerError
				continue
			}
			out.Header = req.Header.Clone()
			res, err := http.DefaultClient.Do(out)
			if err != nil {
				worst = http.StatusServiceUnavailable
				continue
			}
			_ = res.Body.Close()
			worst = max(worst, res.StatusCode)
		}
		w.WriteHeader(worst)
	}
}

// From another language, a start of an invalid input gets the error type and the rule.
func TestAnInvalidInputIsNamedToAnyCaller(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for rule, input := range map[string]map[string]any{
		"user_id": {"user_id": "a@example.com"}, "return_url": {"user_id": "u2", "return_url": "ftp://shop.example/"},
		"priority": {"user_id": "u3", "priority": "high"},
	} {
		id := kyc.WorkflowID(input["user_id"].(string))
		c := s.Temporal()
		update, err := c.UpdateWithStartWorkflow(s.within(patience), client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
				ID: id, TaskQueue: kyc.TaskQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			}, kyc.WorkflowVerification, input),
			UpdateOptions: client.UpdateWorkflowOptions{
				UpdateName: kyc.UpdateSession, UpdateID: "session", WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{input},
			},
		})
		if err == nil {
			err = update.Get(s.within(patience), nil)
		}
		require.ErrorContains(t, err, kyc.ErrorTypeInvalidInput, rule)
		require.ErrorContains(t, err, rule)
		require.NotContains(t, err.Error(), "example.com")
	}
	require.Empty(t, s.sim.Sessions())
}
