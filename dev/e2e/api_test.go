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
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/tserver"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

const apiToken = "e2e-token-of-the-shop"

// served is a system with the HTTP API in front of it.
type served struct {
	*system
	url  string
	stop context.CancelFunc
	done chan error
}

func serveAPI(s *system) *served {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	a := &served{system: s, url: "http://" + listener.Addr().String(), stop: cancel, done: make(chan error, 1)}
	c := s.dial()
	cfg := config.Starter{Tokens: []config.Token{{Name: "shop", Value: config.NewSecret(apiToken)}}}
	go func() { a.done <- app.ServeStarter(ctx, listener, c, cfg, s.logger("api")) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-a.done; err != nil {
			s.t.Error(err)
		}
		a.done <- nil
	})
	return a
}

// reply is an answer of the API: a verification or a problem.
type reply struct {
	code   int
	header http.Header
	raw    string
	api.Verification
	Problem api.Problem
}

// call makes a request; a body makes it a POST.
func (a *served) call(ctx context.Context, path, body string) (reply, error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, a.url+api.Path+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+apiToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{code: res.StatusCode, header: res.Header, raw: string(raw)}
	if res.Header.Get("Content-Type") == "application/problem+json" {
		return r, json.Unmarshal(raw, &r.Problem)
	}
	return r, json.Unmarshal(raw, &r.Verification)
}

func (a *served) post(body string) reply {
	a.t.Helper()
	r, err := a.call(a.within(patience), "", body)
	require.NoError(a.t, err)
	return r
}

func (a *served) get(path string) reply {
	a.t.Helper()
	r, err := a.call(a.within(patience), path, "")
	require.NoError(a.t, err)
	return r
}

func TestTwentyPostsForOneUserAreOneVerification(t *testing.T) {
	t.Parallel()
	a := serveAPI(start(t, options{}))
	replies := make([]reply, 20)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			r, err := a.call(a.within(patience), "", `{"user_id":"u1"}`)
			if err != nil {
				t.Error(err)
			}
			replies[i] = r
		})
	}
	wg.Wait()
	codes := map[int]int{}
	for _, r := range replies {
		codes[r.code]++
		r.UpdatedAt = time.Time{} // only an answer 200 tells it
		assert.Equal(t, replies[0].RunID, r.RunID)
		assert.Equal(t, replies[0].URL, r.URL)
		assert.Equal(t, replies[0].SessionID, r.SessionID)
		first := replies[0].Verification
		first.UpdatedAt = time.Time{}
		assert.Equal(t, first, r.Verification)
	}
	assert.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusOK: 19}, codes)
	assert.NotEmpty(t, replies[0].URL)
	assert.Equal(t, 1, a.sessionsOf("u1"))
	assert.True(t, a.logs.contain("api request", "caller=shop", "status=201", "route=/v1/verifications", "user_id=u1"))
	assert.False(t, a.logs.contain(replies[0].URL), "a link was logged")
	assert.False(t, a.logs.contain(apiToken), "a token was logged")
}

func TestALongPollReturnsTheVerdict(t *testing.T) {
	t.Parallel()
	a := serveAPI(start(t, options{}))
	none := a.get("/u1?wait=60s")
	assert.Equal(t, http.StatusNotFound, none.code, "nobody to wait for")
	assert.Equal(t, "/problems/no-such-verification", none.Problem.Type)

	began := a.post(`{"user_id":"u1"}`)
	require.Equal(t, http.StatusCreated, began.code, began.raw)
	open := a.get("/u1?wait=10ms")
	assert.Equal(t, http.StatusOK, open.code)
	assert.Empty(t, open.Outcome)
	assert.Equal(t, began.RunID, open.RunID)
	assert.Empty(t, open.URL)

	polled := make(chan reply, 1)
	go func() {
		r, err := a.call(a.within(patience), "/u1?wait=60s", "")
		if err != nil {
			t.Error(err)
		}
		polled <- r
	}()
	a.press(began.URL, "approve")
	verdict := <-polled
	assert.Equal(t, http.StatusOK, verdict.code)
	assert.Equal(t, kyc.OutcomeApproved, verdict.Outcome)
	assert.NotEmpty(t, verdict.Checks)
	assert.Equal(t, began.RunID, verdict.RunID)

	again := a.post(`{"user_id":"u1"}`)
	assert.Equal(t, http.StatusOK, again.code)
	assert.Equal(t, kyc.OutcomeApproved, again.Outcome)
	assert.Equal(t, began.RunID, again.RunID)
	assert.Empty(t, again.URL)
	assert.Equal(t, 1, a.sessionsOf("u1"), "an approved user is not verified again")

	anew := a.post(`{"user_id":"u1","reverify":true}`)
	assert.Equal(t, http.StatusCreated, anew.code)
	assert.NotEqual(t, began.RunID, anew.RunID)
	assert.NotEqual(t, began.SessionID, anew.SessionID)
}

// Under Didit's limit a caller is told how long it takes, and gets the URL when it asks again.
func TestASlowQueueIsAcceptedWithAnEstimate(t *testing.T) {
	t.Parallel()
	a := serveAPI(startLimited(t))
	slow := float32(0.02) // one call in fifty seconds
	a.anyone("somebody@console", &slow)
	for _, user := range []string{"first", "second", "third"} { // the first may still have its turn at once
		go func() { _, _ = a.call(a.within(patience), "", `{"user_id":"`+user+`"}`) }()
	}
	a.eventually(func() bool {
		turn, err := a.Turn(a.within(patience), kyc.PriorityInteractive)
		return err == nil && turn.Ahead >= 1
	}, "a queue")
	waits := a.post(`{"user_id":"u1"}`)
	require.Equal(t, http.StatusAccepted, waits.code, waits.raw)
	assert.Greater(t, waits.ETASeconds, int64(1))
	assert.NotEmpty(t, waits.header.Get("Retry-After"))
	assert.NotEmpty(t, waits.RunID)
	assert.Empty(t, waits.URL)

	none := float32(0)
	a.anyone("somebody@console", &none)
	paused := a.post(`{"user_id":"u1"}`)
	require.Equal(t, http.StatusAccepted, paused.code, paused.raw)
	assert.Zero(t, paused.ETASeconds, "nobody knows how long a pause is")
	assert.Equal(t, "5", paused.header.Get("Retry-After"))
	assert.Equal(t, waits.RunID, paused.RunID)

	a.anyone("somebody@console", nil)
	a.eventually(func() bool { return a.post(`{"user_id":"u1"}`).code == http.StatusOK }, "the session")
	came := a.post(`{"user_id":"u1"}`)
	assert.NotEmpty(t, came.URL)
	assert.Equal(t, waits.RunID, came.RunID)
	assert.Equal(t, 1, a.sessionsOf("u1"))
}

func TestAClientThatGoesAwayDoesNotEndTheVerification(t *testing.T) {
	t.Parallel()
	a := serveAPI(startLimited(t))
	none := float32(0)
	a.anyone("somebody@console", &none)
	ctx, leave := context.WithCancel(a.within(patience))
	gone := make(chan error, 1)
	go func() {
		_, err := a.call(ctx, "", `{"user_id":"u1"}`)
		gone <- err
	}()
	a.eventually(func() bool { return a.get("/u1").code == http.StatusOK }, "it has begun")
	leave()
	require.ErrorIs(t, <-gone, context.Canceled)
	a.eventually(func() bool { return a.logs.contain("api request", "method=POST", "status=499") }, "the API noticed")
	a.anyone("somebody@console", nil)
	a.eventually(func() bool { return a.sessionsOf("u1") == 1 }, "its session")
	assert.Equal(t, http.StatusOK, a.post(`{"user_id":"u1"}`).code)
}

// Not parallel: it looks for the one handler that waits.
func TestStoppingTheAPIAnswersThoseWhoWait(t *testing.T) {
	a := serveAPI(start(t, options{}))
	require.Equal(t, http.StatusCreated, a.post(`{"user_id":"u1"}`).code)
	polled := make(chan reply, 1)
	go func() {
		r, err := a.call(a.within(patience), "/u1?wait=60s", "")
		if err != nil {
			t.Error(err)
		}
		polled <- r
	}()
	a.eventually(func() bool { return runs("starter/api.(*API).await") }, "somebody waits")
	a.stop()
	r := <-polled
	assert.Equal(t, http.StatusOK, r.code)
	assert.Empty(t, r.Outcome)
	require.NoError(t, <-a.done)
	a.done <- nil // for the cleanup
}

// runs reports whether a function is on some goroutine's stack.
func runs(function string) bool {
	stacks := make([]byte, 4<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(function))
}

func TestRefusalsOfDiditReachTheCaller(t *testing.T) {
	t.Parallel()
	a := serveAPI(start(t, options{workerKey: "a-key-of-nobody"}))
	r := a.post(`{"user_id":"u1"}`)
	assert.Equal(t, http.StatusServiceUnavailable, r.code)
	assert.Equal(t, kyc.ErrorTypeUnauthorized, r.Problem.ErrorType)
	failed := a.get("/u1?wait=60s")
	assert.Equal(t, kyc.OutcomeFailed, failed.Outcome)
	assert.Equal(t, kyc.ErrorTypeUnauthorized, failed.ErrorType)
}

func TestTheCapReachesTheCaller(t *testing.T) {
	t.Parallel()
	a := serveAPI(start(t, options{}))
	for range 3 {
		r := a.post(`{"user_id":"u1"}`)
		require.Equal(t, http.StatusCreated, r.code, r.raw)
		a.press(r.URL, "abandon")
		require.Equal(t, kyc.OutcomeAbandoned, a.get("/u1?wait=60s").Outcome)
	}
	r := a.post(`{"user_id":"u1"}`)
	assert.Equal(t, http.StatusConflict, r.code, r.raw)
	assert.Equal(t, "/problems/session-cap", r.Problem.Type)
	assert.Equal(t, 3, a.sessionsOf("u1"))
}

func TestTemporalDownIsAProblem(t *testing.T) {
	t.Parallel()
	a := serveAPI(start(t, options{server: tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")}}))
	require.Equal(t, http.StatusCreated, a.post(`{"user_id":"u1"}`).code)
	require.NoError(t, a.server.Kill())
	r := a.post(`{"user_id":"u2"}`)
	assert.Equal(t, http.StatusServiceUnavailable, r.code, r.raw)
	assert.Equal(t, "/problems/temporal-unavailable", r.Problem.Type)
	assert.Equal(t, api.ErrorTypeTemporal, r.Problem.ErrorType)
	assert.NotEmpty(t, r.header.Get("Retry-After"))
	require.NoError(t, a.server.Restart(a.within(patience)))
	a.eventually(func() bool { return a.post(`{"user_id":"u2"}`).URL != "" }, "the same request again")
	assert.Equal(t, 1, a.sessionsOf("u2"))
}

// The README's lines are run as they stand there, but for the address and the token.
func TestTheReadmesCurlsWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, script, found := strings.Cut(string(text), "```sh\nAPI=http://127.0.0.1:8081 TOKEN=simulator-api-token\n")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "```")
	a := serveAPI(start(t, options{}))
	cmd := exec.CommandContext(a.within(patience), "sh", "-ec", script)
	cmd.Env = append(os.Environ(), "API="+a.url, "TOKEN="+apiToken)
	out, err := cmd.Output()
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(out))
	var began, stands api.Verification
	require.NoError(t, d.Decode(&began), string(out))
	require.NoError(t, d.Decode(&stands), string(out))
	assert.NotEmpty(t, began.URL)
	assert.Equal(t, "u-1042", stands.UserID)
	assert.Equal(t, began.RunID, stands.RunID)
	var described map[string]any
	require.NoError(t, d.Decode(&described))
	assert.Equal(t, "3.1.0", described["openapi"])
}
