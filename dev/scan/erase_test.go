package scan

import (
	"net/http"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// erasable are the states in which a user can be erased: the statuses that the session goes through, and what happens
// after them, by the user's id.
var erasable = map[string]struct {
	statuses []didit.Status
	then     func(w *env, user string)
}{
	"erase-not-started":  {},
	"erase-in-progress":  {statuses: []didit.Status{didit.StatusInProgress}},
	"erase-in-review":    {statuses: []didit.Status{didit.StatusInProgress, didit.StatusInReview}},
	"erase-resubmitted":  {statuses: []didit.Status{didit.StatusInProgress, didit.StatusInReview, didit.StatusResubmitted}},
	"erase-approved":     {statuses: []didit.Status{didit.StatusInProgress, didit.StatusApproved}, then: ended(kyc.OutcomeApproved)},
	"erase-declined":     {statuses: []didit.Status{didit.StatusInProgress, didit.StatusDeclined}, then: ended(kyc.OutcomeDeclined)},
	"erase-expired":      {statuses: []didit.Status{didit.StatusExpired}, then: ended(kyc.OutcomeExpired)},
	"erase-abandoned":    {statuses: []didit.Status{didit.StatusInProgress, didit.StatusAbandoned}, then: ended(kyc.OutcomeAbandoned)},
	"erase-lapsed":       {statuses: []didit.Status{didit.StatusInProgress, didit.StatusApproved, didit.StatusKycExpired}},
	"erase-changed-mind": {statuses: []didit.Status{didit.StatusInProgress, didit.StatusApproved, didit.StatusDeclined}},
	"erase-cancelled": {statuses: []didit.Status{didit.StatusInProgress, didit.StatusInReview}, then: func(w *env, user string) {
		out, code := w.cli("cancel", "--user", user, "--actor", actor, "--reason", reason)
		must(w.t, out, code)
	}},
	"erase-several": {statuses: []didit.Status{didit.StatusInProgress, didit.StatusDeclined}, then: func(w *env, user string) {
		ended(kyc.OutcomeDeclined)(w, user)
		w.begin(user, "--reverify")
	}},
	"erase-ordered": {statuses: []didit.Status{didit.StatusInProgress, didit.StatusInReview}, then: func(w *env, user string) {
		out, code := w.cli("decide", "--user", user, "--status", "approved", "--actor", actor, "--reason", reason)
		must(w.t, out, code)
	}},
	"erase-terminated": {then: func(w *env, user string) {
		require.NoError(w.t, w.Temporal().TerminateWorkflow(w.within(timeout), kyc.WorkflowID(user), "", reason))
	}},
}

func ended(outcome kyc.Outcome) func(*env, string) {
	return func(w *env, user string) { w.ends(user, outcome) }
}

// withoutSession are users for whom Didit makes none: it refuses, or has trouble for longer than anybody waits.
var withoutSession = map[string]int{"erase-failed": http.StatusForbidden, "erase-queued": http.StatusServiceUnavailable}

// erases brings users to every state and has them erased, by the command that operators use.
func (w *env) erases() {
	w.t.Helper()
	for user, code := range withoutSession {
		w.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: code, Body: errorBodies()[0], Times: 1000, VendorData: user})
		out, exit := w.cli("start", "--user", user, "--timeout", "2s")
		require.NotZero(w.t, exit, out)
		w.erased = append(w.erased, user)
	}
	for user, way := range erasable {
		w.begin(user)
		w.moves(user, way.statuses...)
		if way.then != nil {
			way.then(w, user)
		}
		w.erased = append(w.erased, user)
	}
	// Didit keeps one for a while, and has trouble with another.
	w.sim.FailNext(http.MethodDelete, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Body: errorBodies()[1], Times: 2, VendorData: "erase-expired"})
	held := diditsim.Fault{Status: http.StatusConflict, Body: `{"code":"in_filed_report","detail":"` + marker("detail") + " " + markedEmail + `"}`, VendorData: "erase-declined"}
	w.sim.FailNext(http.MethodDelete, "/v3/session/", held)
	out, code := w.erase("erase-declined")
	require.NotZero(w.t, code, out)
	var all sync.WaitGroup
	for _, user := range w.erased {
		all.Go(func() { w.eraseWholly(user) })
	}
	all.Wait()
}

func (w *env) erase(user string, more ...string) (string, int) {
	w.t.Helper()
	return w.cli(append([]string{"erase", "--user", user, "--actor", actor, "--reason", reason, "--yes", "--no-legal-hold"}, more...)...)
}

// eraseWholly erases a user and looks at what is left in every way that there is.
func (w *env) eraseWholly(user string) {
	out, code := w.erase(user)
	assert.Zero(w.t, code, out)
	assert.Empty(w.t, w.sim.SessionsOf(user), user)
	assert.False(w.t, w.sim.HasUser(user), user)
	_, err := w.State(w.within(timeout), user)
	assert.ErrorIs(w.t, err, kyc.ErrNotFound, user)
	out, code = w.erase(user, "-o", "json")
	assert.Zero(w.t, code, out)
	assert.Contains(w.t, out, `"already":true`, "nothing was left of %s", user)
	for _, more := range [][]string{nil, {"-o", "json"}, {"--history"}, {"--history", "-o", "json"}} {
		w.cli(append([]string{"status", "--user", user}, more...)...)
	}
}

// requireErased makes sure that there was something to be erased, and that it was known before.
func (w *env) requireErased() {
	w.t.Helper()
	left := map[string]bool{}
	for _, token := range w.tokensOf(w.erased) {
		left[token] = true
	}
	require.Greater(w.t, len(left), len(erasable), "tokens of %d users", len(w.erased))
	for _, s := range w.sim.Sessions() {
		require.False(w.t, left[s.Token], "a session of %s is still there", s.VendorData)
	}
}
