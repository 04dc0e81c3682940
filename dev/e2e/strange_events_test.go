package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// loses drops the user's webhooks. It is for systems in which no other user loses any.
func (s *system) loses(users *sync.Map) {
	s.sim.SetWebhookScript(func(e diditsim.Event) []diditsim.Send {
		if _, lost := users.Load(e.VendorData); lost {
			return nil
		}
		return []diditsim.Send{{}}
	})
}

func TestEventsThatAreLateLostOrStrange(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	var lost sync.Map
	all := map[string]func(*life){
		"a link that expired unseen is replaced": func(l *life) {
			a := l.began()
			lost.Store(l.user, true)
			l.becomes(a.SessionID, didit.StatusExpired)
			var b reply
			// An old link is handed out again for a minute at most.
			require.Eventually(l.t, func() bool { b = l.start(""); return b.SessionID != a.SessionID }, timeout, time.Second, "a fresh link")
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
			got, err := l.Refresh(l.within(timeout), l.user, ops.Request{Operator: jo})
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
			for encoding, data := range map[string]string{"json/plain": "{", "binary/nonsense": "x"} {
				_, err := l.Temporal().WorkflowService().SignalWorkflowExecution(l.within(timeout), &workflowservice.SignalWorkflowExecutionRequest{
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
	req, err := http.NewRequestWithContext(s.within(timeout), http.MethodGet, s.simURL+"/v3/session/"+id+"/decision/", nil)
	require.NoError(s.t, err)
	req.Header.Set("X-Api-Key", apiKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	var body json.RawMessage
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&body))
	return string(body)
}

// From another language, a start of an invalid input gets the error type and the rule.
func TestAnInvalidInputIsNamedToAnyCaller(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	for rule, input := range map[string]map[string]any{
		"user_id": {"user_id": "a@example.com"}, "return_url": {"user_id": "u2", "return_url": "ftp://shop.example/"},
		"priority": {"user_id": "u3", "priority": "high"},
	} {
		id := kyc.WorkflowID(input["user_id"].(string))
		c := s.Temporal()
		update, err := c.UpdateWithStartWorkflow(s.within(timeout), client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
				ID: id, TaskQueue: kyc.TaskQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			}, kyc.WorkflowVerification, input),
			UpdateOptions: client.UpdateWorkflowOptions{
				UpdateName: kyc.UpdateSession, UpdateID: "session", WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{input},
			},
		})
		if err == nil {
			err = update.Get(s.within(timeout), nil)
		}
		require.ErrorContains(t, err, kyc.ErrorTypeInvalidInput, rule)
		require.ErrorContains(t, err, rule)
		require.NotContains(t, err.Error(), "example.com")
	}
	require.Empty(t, s.sim.Sessions())
}
