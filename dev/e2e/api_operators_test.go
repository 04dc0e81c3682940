package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

const opsToken = "e2e-token-of-operations"

// serveScoped serves the API to a shop that starts and reads, and to operations.
func serveScoped(s *system) *served {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	cfg, err := config.ForStarter(func(name string) string {
		return map[string]string{
			"STARTER_TOKENS": "shop:" + apiToken + ",operations:" + opsToken + ";scopes=read decide erase", "METRICS_ADDR": "off",
		}[name]
	})
	require.NoError(s.t, err)
	c := s.dial()
	s.process(func(ctx context.Context) error {
		return app.ServeStarter(ctx, listener, c.Client, cfg, s.logger("api"))
	})
	return &served{system: s, url: "http://" + listener.Addr().String()}
}

// ask makes a request with a token and decodes its answer.
func (a *served) ask(token, method, path, body string, into any) *http.Response {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.within(timeout), method, a.url+api.Path+path, strings.NewReader(body))
	require.NoError(a.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "the-same-for-all")
	res, err := http.DefaultClient.Do(req)
	require.NoError(a.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(a.t, err)
	require.NoError(a.t, json.Unmarshal(raw, into), string(raw))
	return res
}

// A user's whole life over HTTP: everything that an operator can do.
func TestOperatorsWorkOverHTTP(t *testing.T) {
	t.Parallel()
	a := serveScoped(start(t, options{}))
	began := a.post(`{"user_id":"u1"}`)
	require.Equal(t, http.StatusCreated, began.code, began.raw)
	require.NotEmpty(t, began.SessionToken)
	require.NoError(t, a.sim.SetStatus(began.SessionID, didit.StatusInProgress))
	require.NoError(t, a.sim.SetStatus(began.SessionID, didit.StatusInReview))
	a.status("u1", didit.StatusInReview)
	reviewed := a.get("/u1")
	assert.Empty(t, reviewed.URL, "the person has nothing to do")
	assert.Empty(t, reviewed.SessionToken)

	const decision = `{"verb":"approve","actor":"anna","reason":"documents-checked:CASE-1"}`
	var refused api.Problem
	assert.Equal(t, http.StatusForbidden, a.ask(apiToken, http.MethodPost, "/u1/decision", decision, &refused).StatusCode)
	assert.Contains(t, refused.Detail, "no scope decide")
	assert.Equal(t, http.StatusForbidden, a.ask(opsToken, http.MethodPost, "", `{"user_id":"u2"}`, &refused).StatusCode)
	assert.Equal(t, http.StatusForbidden, a.ask(apiToken, http.MethodPost, "", `{"user_id":"u1","reverify":true}`, &refused).StatusCode)
	assert.Contains(t, refused.Detail, "no scope reverify")

	var list api.List
	a.eventually(func() bool {
		a.ask(opsToken, http.MethodGet, "?waiting_for=review&status=In+Review", "", &list)
		return len(list.Verifications) == 1
	}, "the list")
	assert.Equal(t, began.RunID, list.Verifications[0].RunID)
	assert.Equal(t, began.SessionID, list.Verifications[0].SessionID)

	var state api.Verification
	require.Equal(t, http.StatusOK, a.ask(opsToken, http.MethodPost, "/u1/refresh", `{"actor":"anna","reason":"look:CASE-1"}`, &state).StatusCode)
	assert.Equal(t, didit.StatusInReview, state.Status)

	var first, again api.Operation
	require.Equal(t, http.StatusOK, a.ask(opsToken, http.MethodPost, "/u1/decision", decision, &first).StatusCode)
	assert.True(t, first.Changed)
	require.Equal(t, http.StatusOK, a.ask(opsToken, http.MethodPost, "/u1/decision", decision, &again).StatusCode)
	assert.Equal(t, first, again, "the same key: not again, and not already")
	assert.Equal(t, kyc.OutcomeApproved, a.get("/u1?wait=45s").Outcome)

	var history api.History
	require.Equal(t, http.StatusOK, a.ask(opsToken, http.MethodGet, "/u1/history", "", &history).StatusCode)
	var actors []string
	for _, step := range history.Steps {
		if step.What == ops.StepAction {
			actors = append(actors, step.Actor)
		}
	}
	assert.ElementsMatch(t, []string{"operations:anna", "operations:anna"}, actors, "the token's name and the operator's")
	assert.Equal(t, http.StatusConflict, a.ask(opsToken, http.MethodPost, "/u1/cancel", `{"reason":"duplicate:CASE-1"}`, &refused).StatusCode)
	assert.Equal(t, "/problems/refused", refused.Type)

	second := a.post(`{"user_id":"u2"}`)
	require.Equal(t, http.StatusCreated, second.code)
	require.Equal(t, http.StatusOK, a.ask(opsToken, http.MethodPost, "/u2/cancel", `{"reason":"duplicate:CASE-1"}`, &state).StatusCode)
	assert.Equal(t, kyc.OutcomeCancelled, state.Outcome)

	const erasure = `{"actor":"anna","reason":"request:CASE-1","legal_hold_checked":true}`
	var gone api.Operation
	a.eventually(func() bool {
		code := a.ask(opsToken, http.MethodDelete, "/u1", erasure, &gone).StatusCode
		require.Contains(t, []int{http.StatusOK, http.StatusAccepted}, code)
		return code == http.StatusOK
	}, "the erasure")
	assert.True(t, gone.Done)
	assert.Equal(t, 1, gone.Erased.Sessions)
	assert.Equal(t, http.StatusNotFound, a.get("/u1").code)
	assert.Zero(t, a.sessionsOf("u1"))
}

// The page's lines are run as they stand there, but for the address and the tokens, while the person passes.
func TestTheAPIPagesCurlsWork(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	skip.Program(t, "curl", "curl")
	a := serveScoped(start(t, options{}))
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "http-api.md"))
	require.NoError(t, err)
	_, script, found := strings.Cut(string(page), "```bash\nAPI=http://127.0.0.1:8081 TOKEN=simulator-api-token\n")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "```")
	cmd := exec.CommandContext(a.within(timeout), "bash", "-ec", script)
	cmd.Env = append(cmd.Environ(), "API="+a.url, "TOKEN="+apiToken, "OPS="+opsToken)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	a.eventually(func() bool { return a.sessionsOf("u-1043") == 1 }, "the first line has started it")
	session := a.begin("u-1043").Session
	a.open(session.URL)
	require.NoError(t, a.sim.SetStatus(session.SessionID, didit.StatusApproved))
	require.NoError(t, cmd.Wait(), out.String())
	for _, want := range []string{`"outcome":"declined"`, `"verb":"decline"`, `"what":"order done"`, `"verb":"erase"`} {
		assert.Contains(t, out.String(), want)
	}
}
