package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/dev/hosted"
	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// A reviewer changes his mind at the very moment at which the verification ends with the first verdict: the signal
// meets the workflow task that closes the run, or comes just before or after it. The second verdict counts in each case.
func TestANewVerdictAtTheLastMoment(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w := start(t, options{retries: retryLadder})
	n := size(*users, 40, 400)
	r := rand.New(rand.NewPCG(*seed, 3))
	const longest = 400 * time.Millisecond // closing takes less than that, and more under load
	slots := make(chan struct{}, 8)        // a few at a time, so that it does not take much longer
	var decided, changed sync.WaitGroup
	runs := make([]string, n)
	for i := range n {
		user, after := fmt.Sprintf("u%04d", i), time.Duration(r.Int64N(int64(longest)))
		decided.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			began, err := w.signUp(w.within(timeout), user)
			if !assert.NoError(t, err) {
				return
			}
			id := began.Session.SessionID
			runs[i] = began.RunID
			changed.Add(1)
			read := w.firstDecision(id)
			if !assert.NoError(t, hosted.Press(w.within(timeout), began.Session.URL, "approve")) {
				changed.Done()
				return
			}
			go func() {
				defer changed.Done()
				<-read
				think(t.Context(), after)
				assert.NoError(t, w.sim.SetStatus(id, didit.StatusDeclined))
			}()
		})
	}
	decided.Wait()
	changed.Wait()
	require.NoError(t, w.sim.Wait(w.within(timeout)))
	var within, afterwards, met int
	for i := range n {
		user := fmt.Sprintf("u%04d", i)
		w.eventually(func() bool {
			state, err := w.State(w.within(timeout), user)
			return err == nil && state.Status == didit.StatusDeclined && state.Outcome == kyc.OutcomeDeclined
		}, "user %s is declined", user)
		first := w.resultOf(user, runs[i])
		if first.Outcome == kyc.OutcomeDeclined {
			within++
		} else {
			afterwards++
		}
		met += w.unhandled(user, runs[i])
	}
	t.Logf("%d users: %d declined by the run itself, %d by a later run; %d closings met a signal", n, within, afterwards, met)
	for _, d := range w.sim.Deliveries() {
		require.Equal(t, http.StatusOK, d.Code)
	}
}

// firstDecision is closed once Didit has answered what the decision on a session is.
func (w *env) firstDecision(sessionID string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	read, before := make(chan struct{}), w.onDecision
	var once sync.Once
	w.onDecision = func(id string) {
		if before != nil {
			before(id)
		}
		if id == sessionID {
			once.Do(func() { close(read) })
		}
	}
	return read
}

// resultOf is what a run ended with, whatever a later one says.
func (w *env) resultOf(user, run string) (state kyc.State) {
	w.t.Helper()
	require.NoError(w.t, w.Temporal().GetWorkflow(w.within(timeout), kyc.WorkflowID(user), run).Get(w.within(timeout), &state))
	return state
}

// unhandled counts the workflow tasks that could not close the run, because a signal had arrived meanwhile.
func (w *env) unhandled(user, run string) int {
	return w.countEvents(user, run, func(ev *historypb.HistoryEvent) bool {
		return ev.GetWorkflowTaskFailedEventAttributes().GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
	})
}

func (w *env) countEvents(user, run string, which func(*historypb.HistoryEvent) bool) (n int) {
	w.t.Helper()
	events, err := w.history(w.within(timeout), kyc.WorkflowID(user), run)
	require.NoError(w.t, err)
	for _, ev := range events {
		if which(ev) {
			n++
		}
	}
	return n
}

// Didit makes the session and hangs up: the worker looks before it asks again.
func TestAnAnswerLostOnTheWayIsOneSession(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w := start(t, options{})
	w.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Kind: diditsim.CommitThenHangUp, VendorData: "unlucky"})
	var wg sync.WaitGroup
	for _, user := range []string{"unlucky", "lucky"} {
		wg.Go(func() {
			began, err := w.signUp(w.within(timeout), user)
			sessions := w.sim.SessionsOf(user)
			if assert.NoError(t, err, user) && assert.Len(t, sessions, 1, user) {
				assert.Equal(t, sessions[0].URL, began.Session.URL, user)
			}
			assert.Equal(t, 1, w.creates.Of(user), user)
		})
	}
	wg.Wait()
	looks := func(ev *historypb.HistoryEvent) bool {
		return ev.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == "ReadDecision" // of the session that was made
	}
	require.Equal(t, 1, w.countEvents("unlucky", "", looks))
	require.Zero(t, w.countEvents("lucky", "", looks))
}

// A worker that is asked to stop in the middle of a create reports what came of it before it goes, and goes in order.
func TestAStoppingWorkerReportsItsCreate(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w := start(t, options{})
	w.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Kind: diditsim.Slow, DelayAnswer: 3 * time.Second})
	r, err := w.worker.Working(w.within(timeout))
	require.NoError(t, err)
	began := make(chan error, 1)
	go func() {
		_, err := w.signUp(w.within(timeout), "u1")
		began <- err
	}()
	w.eventually(func() bool { return len(w.sim.Sessions()) == 1 }, "Didit has made the session")
	require.NoError(t, w.worker.Terminate(r))
	require.NoError(t, r.Wait(), "exit code")
	require.Equal(t, 1, w.creates.Of("u1"))
	require.NoError(t, <-began)
	require.Equal(t, 1, w.creates.Of("u1"))
	require.Zero(t, w.countEvents("u1", "", func(ev *historypb.HistoryEvent) bool {
		name := ev.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
		return ev.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT || name == "ReadDecision" || name == "ListSessions"
	}), "nothing had to be looked for")
}
