package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// Verbs of Temporal's Web UI and command line, on a verification that goes on.
var buttons = map[string]func(l *life){
	"terminated": func(l *life) { require.NoError(l.t, l.terminate(l.t.Context(), kyc.WorkflowID(l.user), "")) },
	"stopped":    func(l *life) { l.cancelInTemporal(l.user) },
	"deleted":    func(l *life) { l.deleteRun(l.user) },
	"reset":      func(l *life) { l.reset(kyc.WorkflowID(l.user)) },
}

// After each of them the next webhook, or START, leads back to Didit's truth.
func TestAButtonOfTemporalBreaksNothingForLong(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	all := map[string]func(*life){}
	for what, press := range buttons {
		all[what+" while the person acts, and the webhook comes"] = func(l *life) {
			a := l.began()
			press(l)
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			if what != "reset" {
				l.record(l.user, what+"-then-webhook")
			}
		}
		all[what+" while the person acts, and the person comes back"] = func(l *life) {
			a := l.began()
			press(l)
			again := l.start("")
			require.Equal(l.t, a.SessionID, again.SessionID, again.raw)
			require.Equal(l.t, a.URL, again.URL)
			l.press(again.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			l.record(l.user, what+"-then-start")
		}
		all[what+" in review"] = func(l *life) {
			a := l.began()
			l.press(a.URL, "review")
			l.shows(a.SessionID, didit.StatusInReview)
			press(l)
			again := l.start("")
			require.Equal(l.t, a.SessionID, again.SessionID, again.raw)
			require.Empty(l.t, again.URL)
			l.becomes(a.SessionID, didit.StatusApproved)
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		}
	}
	for _, what := range []string{"deleted", "reset"} { // what is closed cannot be terminated
		all[what+" after the verdict"] = func(l *life) {
			a := l.decided("approve")
			buttons[what](l)
			again := l.start("")
			require.Less(l.t, again.code, 300, again.raw)
			l.eventually(func() bool { return l.closed(l.user).Outcome == kyc.OutcomeApproved }, "the verdict is found")
			require.Equal(l.t, a.SessionID, l.closed(l.user).SessionID)
			require.Equal(l.t, 1, l.sessionsOf(l.user))
		}
	}
	for _, first := range []string{"", "reset"} {
		all["deleted after a reported end "+first] = func(l *life) {
			a := l.began()
			if first != "" {
				buttons[first](l)
				l.shows(a.SessionID, didit.StatusNotStarted)
			}
			buttons["stopped"](l)
			l.eventually(func() bool { return len(l.inbox.results(l.user)) == 1 }, "the cancellation is reported")
			buttons["deleted"](l)
			require.Equal(l.t, a.SessionID, l.start("").SessionID)
			l.takesBack(a.SessionID)
		}
	}
	all["terminated while an end is being reported"] = func(l *life) {
		a := l.began()
		reported := make(chan struct{})
		l.inbox.beforeAnswer(l.user, func() { buttons["terminated"](l); close(reported) })
		require.NoError(l.t, l.Temporal().CancelWorkflow(l.within(timeout), kyc.WorkflowID(l.user), ""))
		<-reported
		require.Equal(l.t, a.SessionID, l.start("").SessionID)
		l.takesBack(a.SessionID)
	}
	all["reset five times after the verdict"] = func(l *life) {
		a := l.decided("approve")
		for range 5 {
			l.reset(kyc.WorkflowID(l.user))
			l.closed(l.user)
		}
		l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		require.Len(l.t, l.inbox.results(l.user), 1)
		l.record(l.user, "reset-after-the-verdict")
	}
	atTheSameTime(t, options{}, all)
}

// takesBack waits until the newest result says that the session is open again.
func (l *life) takesBack(session string) {
	l.t.Helper()
	l.eventually(func() bool {
		results := l.inbox.results(l.user)
		newest := results[len(results)-1]
		return newest.Type == kyc.ResultChanged && newest.Data.SessionID == session && newest.Data.Outcome == ""
	}, "the cancellation is taken back")
}

func TestResultsThatWaitOutliveTheirRun(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	all := map[string]func(*life){}
	for _, what := range []string{"terminated", "reset"} {
		all[what+" while the callback endpoint is down"] = func(l *life) {
			l.inbox.close(l.user, true)
			a := l.began()
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			buttons[what](l)
			l.inbox.close(l.user, false)
			l.start("")
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			require.Len(l.t, l.inbox.results(l.user), 1)
			l.record(l.user, what+"-with-a-callback-pending")
		}
	}
	atTheSameTime(t, options{}, all)
}

// waitsForDidit begins a START whose create fails some times.
func (l *life) waitsForDidit(times int) <-chan reply {
	l.t.Helper()
	l.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: times, VendorData: l.user})
	answer := make(chan reply, 1)
	go func() {
		r, _ := l.call(l.within(timeout), "", `{"user_id":"`+l.user+`"}`)
		answer <- r
	}()
	l.eventually(func() bool {
		return l.finds("WorkflowId = 'kyc-" + l.user + "' AND KycWaitingFor = 'didit'")
	}, "the create fails")
	return answer
}

func TestACallerWhoWaitsIsAnsweredHoweverTheRunEnds(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	atTheSameTime(t, options{}, map[string]func(*life){
		"terminated while START waits": func(l *life) {
			answer := l.waitsForDidit(1000)
			require.NoError(l.t, l.terminate(l.t.Context(), kyc.WorkflowID(l.user), ""))
			r := <-answer
			require.Equal(l.t, http.StatusConflict, r.code, r.raw)
			require.Equal(l.t, "/problems/verification-ended", r.Problem.Type)
		},
		"reset while START waits": func(l *life) {
			answer := l.waitsForDidit(2)
			l.reset(kyc.WorkflowID(l.user))
			r := <-answer
			require.Less(l.t, r.code, 300, r.raw)
			if r.URL == "" { // 202: the new run has not got that far
				require.Equal(l.t, http.StatusAccepted, r.code, r.raw)
			}
		},
		"reset while a program waits for the verdict": func(l *life) {
			a := l.began()
			waited := make(chan kyc.State, 1)
			go func() {
				state, _ := l.Wait(l.within(timeout), l.user)
				waited <- state
			}()
			l.reset(kyc.WorkflowID(l.user))
			l.press(a.URL, "approve")
			require.Equal(l.t, kyc.OutcomeApproved, (<-waited).Outcome)
		},
	})
}
