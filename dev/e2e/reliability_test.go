package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// signals counts the signals in the history of the user's newest run.
func (s *system) signals(user string) (n int) {
	for _, ev := range s.history(user) {
		if ev.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			n++
		}
	}
	return n
}

// The server drops repeats by their RequestId, before and after the end. This fails loudly when an SDK no longer lets
// us stamp it: each repeat would be a signal.
func TestRepeatsAreOneSignal(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for _, n := range []int{1, 2, 100} {
		user := fmt.Sprintf("u%d", n)
		began := s.begin(user)
		s.sim.SetWebhookScript(diditsim.Duplicate(n - 1))
		s.open(began.Session.URL)
		s.press(began.Session.URL, "approve")
		require.Equal(t, kyc.OutcomeApproved, s.result(user).Outcome)
		require.NoError(t, s.sim.Wait(s.within(timeout)))
		require.LessOrEqual(t, s.signals(user), 3, "%d deliveries of each of three events", n)
		if n > 1 {
			require.NoError(t, s.sim.Resend(began.Session.SessionID), "long after the end")
			require.NoError(t, s.sim.Wait(s.within(timeout)))
		}
		require.LessOrEqual(t, s.signals(user), 3)
		s.sim.SetWebhookScript(nil)
	}
	for _, n := range []int{1, 2, 100} {
		require.Equal(t, 1, s.count(fmt.Sprintf(`WorkflowId = "kyc-u%d"`, n)), "a repeat begins no run")
	}
	for _, d := range s.sim.Deliveries() {
		require.Equal(t, http.StatusOK, d.Code)
	}
}

// The run that a reset ended knows the event, and the run that follows it has it in the history that it took over.
func TestARepeatAfterAResetIsNoSecondSignal(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	began := s.begin("u1")
	s.open(began.Session.URL)
	s.status("u1", didit.StatusInProgress)
	s.reset(kyc.WorkflowID("u1"))
	before := s.signals("u1")
	require.Positive(t, before)
	require.NoError(t, s.sim.Resend(began.Session.SessionID))
	require.NoError(t, s.sim.Wait(s.within(timeout)))
	require.Equal(t, before, s.signals("u1"))
	s.press(began.Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
}

func TestEveryDropMaskEndsInTheTruth(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{reconcileAfter: time.Second})
	s.sim.SetWebhookScript(func(e diditsim.Event) []diditsim.Send {
		var mask uint64
		_, _ = fmt.Sscanf(e.VendorData, "mask-%d", &mask)
		return diditsim.DropMask(mask)(e)
	})
	var wg sync.WaitGroup
	for mask := range uint64(16) { // created, opened, sent to review, declined
		user := fmt.Sprintf("mask-%d", mask)
		wg.Go(func() {
			url := s.begin(user).Session.URL
			s.press(url, "review")
			s.press(url, "decline")
		})
	}
	wg.Wait()
	for mask := range 16 {
		require.Equal(t, kyc.OutcomeDeclined, s.result(fmt.Sprintf("mask-%d", mask)).Outcome, "events dropped: %04b", mask)
	}
	s.record("mask-15", "all-webhooks-lost")
}

func TestEveryOrderOfEventsEndsInTheTruth(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	orders := [][]int{{1, 2, 3, 4}, {4, 3, 2, 1}, {4, 1, 2, 3}, {3, 4, 1, 2}, {2, 4, 3, 1}}
	s.sim.SetWebhookScript(func(e diditsim.Event) []diditsim.Send {
		var i int
		_, _ = fmt.Sscanf(e.VendorData, "order-%d", &i)
		return diditsim.Reorder(orders[i])(e)
	})
	for i := range orders {
		url := s.begin(fmt.Sprintf("order-%d", i)).Session.URL
		s.press(url, "review")
		s.press(url, "approve")
	}
	for i, order := range orders {
		require.Equal(t, kyc.OutcomeApproved, s.result(fmt.Sprintf("order-%d", i)).Outcome, "%v", order)
	}
}

func TestALostAnswerDoesNotChargeTwice(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for name, fault := range map[string]diditsim.Fault{
		"done-then-hang-up": {Kind: diditsim.CommitThenHangUp},
		"done-then-502":     {Kind: diditsim.CommitThenStatus, Status: http.StatusBadGateway},
		"hang-up":           {Kind: diditsim.HangUp},
		"500":               {Status: http.StatusInternalServerError},
		"done-twice-lost":   {Kind: diditsim.CommitThenHangUp, Times: 2},
	} {
		fault.VendorData = name
		s.sim.FailNext(http.MethodPost, "/v3/session/", fault)
	}
	var wg sync.WaitGroup
	for _, user := range []string{"done-then-hang-up", "done-then-502", "hang-up", "500", "done-twice-lost"} {
		wg.Go(func() {
			began, err := s.Start(s.within(timeout), kyc.Input{UserID: user})
			if err != nil {
				t.Error(user, err)
				return
			}
			if at := s.sim.SessionsOf(user); len(at) != 1 || at[0].URL != began.Session.URL || at[0].Token != began.Session.SessionToken {
				t.Errorf("%s: Didit has %d sessions, or another one than we", user, len(at))
			}
		})
	}
	wg.Wait()
	require.Contains(t, fmt.Sprint(s.history("done-then-hang-up")), "Is this the session that counts?")
	s.record("done-then-hang-up", "adopted")
	s.record("hang-up", "looked-and-created")
}

func TestLateUpdates(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	began := s.begin("u1")
	s.press(began.Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
	s.closed("u1")

	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusDeclined))
	s.status("u1", didit.StatusDeclined)
	s.eventually(func() bool {
		return s.finds(`WorkflowId = "kyc-u1" AND KycOutcome = "declined" AND DiditSessionId = "` + began.Session.SessionID + `"`)
	}, "the list")

	again := s.begin("u1")
	require.Equal(t, kyc.OutcomeDeclined, again.State.Outcome, "the newest verdict, not the first")
	require.Equal(t, 1, s.sessionsOf("u1"))
	s.closed("u1")
	s.record("u1", "late-decline")
	for range 3 {
		require.NoError(t, s.sim.Resend(began.Session.SessionID))
	}
	require.NoError(t, s.sim.Wait(s.within(timeout)))
	require.Equal(t, 2, s.count(`WorkflowId = "kyc-u1"`), "repeats of what the newest run had begin nothing")
	require.True(t, s.logs.contain("process=webhook", "result=late", "status=Declined"))
}

// A reviewer may approve what the person abandoned. The person need not do it again.
func TestUpdatesOfAnOlderSession(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	first := s.begin("u1")
	s.press(first.Session.URL, "abandon")
	require.Equal(t, kyc.OutcomeAbandoned, s.result("u1").Outcome)
	second := s.begin("u1")
	require.NotEqual(t, first.Session.SessionID, second.Session.SessionID)

	require.NoError(t, s.sim.SetStatus(first.Session.SessionID, didit.StatusApproved), "a reviewer approves the abandoned one")
	got := s.result("u1")
	require.Equal(t, kyc.OutcomeApproved, got.Outcome)
	require.Equal(t, first.Session.SessionID, got.SessionID)
	s.closed("u1")
	require.Equal(t, 1, s.sessionsOf("u1"), "the second one was never opened")
	s.record("u1", "older-approved")
}

// ends makes a verification end in each of the ways after which a user may or may not start again.
var ends = map[string]struct {
	end   func(s *system, user string)
	again bool // another start begins a new run
	buys  bool // and a new session
}{
	"approved":  {func(s *system, u string) { s.press(s.begin(u).Session.URL, "approve"); s.closed(u) }, false, false},
	"declined":  {func(s *system, u string) { s.press(s.begin(u).Session.URL, "decline"); s.closed(u) }, false, false},
	"abandoned": {func(s *system, u string) { s.press(s.begin(u).Session.URL, "abandon"); s.closed(u) }, true, true},
	"expired": {func(s *system, u string) {
		require.NoError(s.t, s.sim.SetStatus(s.begin(u).Session.SessionID, didit.StatusExpired))
		s.closed(u)
	}, true, true},
	"failed": {func(s *system, u string) {
		s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusBadRequest, VendorData: u})
		_, err := s.Start(s.within(timeout), kyc.Input{UserID: u})
		require.Error(s.t, err)
		s.closed(u)
	}, true, true},
	"cancelled": {func(s *system, u string) {
		s.begin(u)
		_, err := s.Cancel(s.within(timeout), u, ops.Request{Operator: jo})
		require.NoError(s.t, err)
		s.closed(u)
	}, true, true},
	"stopped":    {func(s *system, u string) { s.begin(u); s.cancelInTemporal(u) }, true, false},
	"terminated": {func(s *system, u string) { s.begin(u); s.closeBy(u, s.terminate) }, true, false},
}

func (s *system) terminate(ctx context.Context, workflowID, runID string) error {
	return s.Temporal().TerminateWorkflow(ctx, workflowID, runID, "test")
}

func (s *system) closeBy(user string, how func(context.Context, string, string) error) {
	s.t.Helper()
	require.NoError(s.t, how(s.within(timeout), kyc.WorkflowID(user), ""))
	require.Error(s.t, s.Temporal().GetWorkflow(s.within(timeout), kyc.WorkflowID(user), "").Get(s.within(timeout), nil))
}

// cancelInTemporal is Temporal's own button for a cancellation.
func (s *system) cancelInTemporal(user string) {
	s.t.Helper()
	require.NoError(s.t, s.Temporal().CancelWorkflow(s.within(timeout), kyc.WorkflowID(user), ""))
	require.Equal(s.t, kyc.OutcomeCancelled, s.closed(user).Outcome)
}

func TestFiftyCallersRaceForAClosedRun(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	for name, tc := range ends {
		t.Run(name, func(t *testing.T) {
			tc.end(s, name)
			for _, reverify := range []bool{false, true} {
				user := name
				sessions := s.sessionsOf(user)
				var wg sync.WaitGroup
				answers := make([]kyc.Started, 50)
				for i := range answers {
					wg.Go(func() {
						a, err := s.Start(s.within(timeout), kyc.Input{UserID: user, Reverify: reverify})
						if err != nil {
							t.Error(err)
						}
						answers[i] = a
					})
				}
				wg.Wait()
				runs, fresh := map[string]bool{}, 0
				for _, a := range answers {
					runs[a.RunID] = true
					if a.New {
						fresh++
					}
				}
				require.Len(t, runs, 1, "all callers are in one run")
				wantRuns, wantSessions := 0, sessions
				if tc.again != reverify { // reverify begins one for the decided; the others have an open one by now
					wantRuns = 1
				}
				if wantRuns == 1 && (tc.buys || reverify) {
					wantSessions++
				}
				require.Equal(t, wantRuns, fresh)
				require.Equal(t, wantSessions, s.sessionsOf(user))
			}
		})
	}
}

func TestTheCapProtectsTheBill(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for range 3 {
		s.press(s.begin("u1").Session.URL, "abandon")
		s.result("u1")
	}
	_, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1"})
	var refused *kyc.SessionError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, kyc.ErrorTypeSessionCap, refused.Type)
	require.ErrorContains(t, err, "SESSION_CAP")
	require.Equal(t, 3, s.sessionsOf("u1"))
	s.record("u1", "session-cap")
}

func TestSessionsThatAreNotOursChangeNothing(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.simURL+"/v3/session/",
		strings.NewReader(`{"workflow_id":"`+flow+`","vendor_data":"somebody-elses","metadata":{"shop":1}}`))
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", apiKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NoError(t, s.sim.Wait(s.within(timeout)))
	require.True(t, s.delivered(didit.StatusNotStarted, http.StatusOK))
	require.True(t, s.logs.contain("process=webhook", "result=foreign"))
	require.Zero(t, s.count(`WorkflowId STARTS_WITH "kyc-"`))
}

func TestASessionDeletedAtDiditEndsCancelled(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{reconcileAfter: time.Second})
	began := s.begin("u1")
	api, err := didit.NewClient(didit.ClientOptions{BaseURL: s.simURL, APIKey: apiKey})
	require.NoError(t, err)
	_, err = api.DeleteSession(t.Context(), began.Session.SessionID, didit.DeleteSessionRequest{})
	require.NoError(t, err)
	require.Equal(t, kyc.OutcomeCancelled, s.result("u1").Outcome)
	s.record("u1", "deleted")
}

// People who wait go first in the queue for Didit's limit, a look that only a timer asked for goes last.
func TestWhoGoesFirst(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{reconcileAfter: time.Second})
	bulk, err := s.Start(s.within(timeout), kyc.Input{UserID: "batch", Priority: kyc.PriorityBulk})
	require.NoError(t, err)
	person := s.begin("person")
	s.eventually(func() bool { return s.sim.CallCount(diditsim.EndpointDecision) > 1 }, "looks without a webhook")
	s.press(bulk.Session.URL, "approve")
	s.press(person.Session.URL, "approve")
	for user, want := range map[string]map[string]int32{
		"batch":  {"Create the session at Didit": 4, "Poll Didit's decision, as no webhook came": 5, "Read Didit's decision": 2},
		"person": {"Create the session at Didit": 2, "Poll Didit's decision, as no webhook came": 5, "Read Didit's decision": 2},
	} {
		s.result(user)
		for _, ev := range s.history(user) {
			if a := ev.GetActivityTaskScheduledEventAttributes(); a != nil {
				summary := strings.Trim(string(ev.GetUserMetadata().GetSummary().GetData()), `"`)
				require.Equal(t, want[summary], a.GetPriority().GetPriorityKey(), "%s: %s", user, summary)
			}
		}
	}
}
