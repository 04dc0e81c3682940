package scan

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// live goes the ways of a verification that people and reviewers go.
func (w *env) live() {
	w.t.Helper()
	for user, way := range map[string]struct {
		statuses []didit.Status
		outcome  kyc.Outcome
	}{
		"approved":    {[]didit.Status{didit.StatusInProgress, didit.StatusApproved}, kyc.OutcomeApproved},
		"declined":    {[]didit.Status{didit.StatusInProgress, didit.StatusDeclined}, kyc.OutcomeDeclined},
		"reviewed":    {[]didit.Status{didit.StatusInProgress, didit.StatusInReview, didit.StatusApproved}, kyc.OutcomeApproved},
		"resubmitted": {[]didit.Status{didit.StatusInProgress, didit.StatusInReview, didit.StatusResubmitted, didit.StatusDeclined}, kyc.OutcomeDeclined},
		"expired":     {[]didit.Status{didit.StatusExpired}, kyc.OutcomeExpired},
		"abandoned":   {[]didit.Status{didit.StatusInProgress, didit.StatusAbandoned}, kyc.OutcomeAbandoned},
		"lapsed":      {[]didit.Status{didit.StatusInProgress, didit.StatusApproved, didit.StatusKycExpired}, ""},
		"changed":     {[]didit.Status{didit.StatusInProgress, didit.StatusApproved, didit.StatusDeclined}, ""},
	} {
		w.begin(user)
		w.moves(user, way.statuses...)
		if way.outcome != "" {
			w.ends(user, way.outcome)
		}
	}
	w.begin("pressed")
	page := w.sim.SessionsOf("pressed")[0].URL
	for _, action := range []string{"review", "approve"} {
		res, err := http.PostForm(page, url.Values{"action": {action}})
		require.NoError(w.t, err)
		require.NoError(w.t, res.Body.Close())
	}
	w.ends("pressed", kyc.OutcomeApproved)

	// Decisions about another user: the verification waits for an operator.
	w.begin(foreignUser)
	id := w.sim.SessionsOf(foreignUser)[0].ID
	require.NoError(w.t, w.sim.SetStatus(id, didit.StatusInProgress))
	require.NoError(w.t, w.sim.SetStatus(id, didit.StatusApproved))
	w.eventually(func() bool { return w.sim.CallCount(diditsim.EndpointDecision) > 0 }, "a decision is read")
	w.again()
}

// again starts users who were there before: the worker looks at Didit's list of sessions.
func (w *env) again() {
	w.t.Helper()
	for _, user := range []string{"approved", "expired", "abandoned"} {
		w.cli("start", "--user", user, "--timeout", "60s", "--reverify", "--return-url", "https://shop.test/welcome", "--language", "en")
	}
	users := filepath.Join(w.t.TempDir(), "users.csv")
	require.NoError(w.t, os.WriteFile(users, []byte("bulk-1\nbulk-2\nbulk-3\nnot a user "+marker("stranger")+"\n"), 0o600))
	w.cli("bulk", "--file", users) // refused: a line is no user id
	require.NoError(w.t, os.WriteFile(users, []byte("bulk-1\nbulk-2\nbulk-3\n"), 0o600))
	out, code := w.cli("bulk", "--file", users)
	must(w.t, out, code)
	results := strings.TrimSuffix(users, ".csv") + ".results.csv"
	require.Contains(w.t, string(read(w.t, results)), "bulk-3")
	info, err := os.Stat(results)
	require.NoError(w.t, err)
	require.Equal(w.t, os.FileMode(0o600), info.Mode(), "there are URLs in it")
	w.keep(sink{name: "results of a bulk start", data: read(w.t, results), may: []class{classSession}})
}

// refused makes Didit refuse, break and vanish, with whatever it may say then.
func (w *env) refused() {
	w.t.Helper()
	bodies := errorBodies()
	n := 0
	for _, code := range []int{400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503} {
		for _, call := range []string{"create", "read", "order"} {
			user := call + "-" + strconv.Itoa(code)
			f := diditsim.Fault{Status: code, Body: bodies[n%len(bodies)], Header: http.Header{"Retry-After": {"1"}, "X-Person": {marker("header")}}, VendorData: user}
			w.refusedOnce(user, call, f)
			n++
		}
	}
	for kind, f := range map[string]diditsim.Fault{
		"half-json":  {Status: http.StatusCreated, Body: `{"session_id": "` + marker("first_name") + `", "url": "` + marker("address")},
		"no-json":    {Status: http.StatusOK, Body: strings.Join(bodies, "\n")},
		"wrong-type": {Status: http.StatusCreated, Body: `{"session_id": {"` + marker("key") + `": 1}, "status": ["` + marker("status") + `"], "url": 7}`},
		"too-large":  {Status: http.StatusCreated, Body: `{"session_id": "` + strings.Repeat(marker("first_name"), 5<<20/len(marker("first_name"))) + `"}`},
		"redirect":   {Status: http.StatusFound, Header: http.Header{"Location": {"https://" + marker("stranger") + ".test/?k=" + apiKey}}},
		"lost":       {Kind: diditsim.CommitThenHangUp},
		"lost-502":   {Kind: diditsim.CommitThenStatus, Status: http.StatusBadGateway, Body: bodies[0]},
		"hang-up":    {Kind: diditsim.HangUp},
	} {
		for _, call := range []string{"create", "read", "order"} {
			f.VendorData = call + "-" + kind
			if call != "create" && f.Status == http.StatusCreated {
				f.Status = http.StatusOK
			}
			w.refusedOnce(f.VendorData, call, f)
		}
	}
	w.aside.Wait()
	w.cli("cancel", "--user", "create-lost", "--actor", actor, "--reason", reason)
}

// refusedOnce lets one call about a user fail.
func (w *env) refusedOnce(user, call string, f diditsim.Fault) {
	w.t.Helper()
	if call == "create" {
		w.sim.FailNext(http.MethodPost, "/v3/session/", f)
		w.aside.Go(func() { w.cli("start", "--user", user, "--timeout", "2s") })
		return
	}
	w.begin(user)
	id := w.sim.SessionsOf(user)[0].ID
	require.NoError(w.t, w.sim.SetStatus(id, didit.StatusInProgress))
	if call == "read" {
		w.sim.FailNext(http.MethodGet, "/v3/session/"+id, f)
		require.NoError(w.t, w.sim.SetStatus(id, didit.StatusApproved))
		w.eventually(func() bool { return w.sim.CallCount(diditsim.EndpointDecision) > 0 }, "a decision is read")
		return
	}
	w.moves(user, didit.StatusInReview)
	w.sim.FailNext(http.MethodPatch, "/v3/session/"+id, f)
	w.aside.Go(func() {
		w.cli("decide", "--user", user, "--status", "declined", "--actor", actor, "--reason", reason, "--timeout", "3s")
	})
}

// operate does by hand what can be done by hand, and looks at it in every way.
func (w *env) operate() {
	w.t.Helper()
	by := []string{"--actor", actor, "--reason", reason}
	for verb, before := range map[string][]didit.Status{
		"approved": {didit.StatusInProgress, didit.StatusInReview}, "declined": {didit.StatusInProgress, didit.StatusApproved},
		"resubmitted": {didit.StatusInProgress, didit.StatusDeclined},
	} {
		user := "decide-" + verb
		w.begin(user)
		w.moves(user, before...)
		out, code := w.cli(append([]string{"decide", "--user", user, "--status", verb}, by...)...)
		must(w.t, out, code)
		w.cli(append([]string{"decide", "--user", user, "--status", verb, "-o", "json"}, by...)...)
	}
	w.begin("cancelled")
	w.cli(append([]string{"refresh", "--user", "cancelled"}, by...)...)
	w.sim.FailNext(http.MethodDelete, "/v3/session/", diditsim.Fault{Status: http.StatusConflict, Body: errorBodies()[0], VendorData: "cancelled"})
	out, code := w.cli(append([]string{"cancel", "--user", "cancelled", "-o", "json"}, by...)...)
	must(w.t, out, code)
	for _, user := range []string{"approved", "changed", "create-400", "read-401", "order-409", foreignUser, "decide-declined", "cancelled", "nobody"} {
		for _, more := range [][]string{nil, {"-o", "json"}, {"--history"}, {"--history", "-o", "json"}} {
			w.cli(append([]string{"status", "--user", user}, more...)...)
		}
	}
	w.cli("start", "--user", markedEmail)
	w.cli("start", "--user", "approved", "-o", "json")
	w.cli("decide", "--user", "approved", "--status", "declined", "--actor", marker("stranger")+" "+markedEmail, "--reason", "free text about "+marker("first_name"))
	w.prepare()
}

// prepare runs what an account and a namespace are prepared with.
func (w *env) prepare() {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "env")
	require.NoError(w.t, os.WriteFile(file, []byte("DIDIT_API_KEY="+apiKey+"\n"), 0o600))
	env := []string{"DIDIT_BASE_URL=" + w.simURL, "DIDIT_ACCOUNT_URL=" + w.simURL + diditsim.AccountPath}
	w.cliWith(env, "setup", "didit", "--env-file", file, "--url", w.webhookURL, "--workflow-id", flow)
	env = append(env, "DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow, "DIDIT_WEBHOOK_SECRETS="+webhookSecret, "DIDIT_QUEUE_PARTITIONS=1")
	for _, more := range [][]string{nil, {"-o", "json"}} {
		w.cliWith(env, append([]string{"doctor", "--url", w.webhookURL, "--webhook-url", w.webhookURL}, more...)...)
	}
	w.sim.FailNext(http.MethodGet, "/v3/", diditsim.Fault{Status: http.StatusForbidden, Body: errorBodies()[0], Times: 5})
	w.cliWith(env, "doctor")
	w.sim.ClearFaults()
}
