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
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
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
	done chan struct{} // closed when it has stopped
	err  error         // how
}

func serveAPI(s *system) *served {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	a := &served{system: s, url: "http://" + listener.Addr().String(), stop: cancel, done: make(chan struct{})}
	c, watch := s.dialAs("api")
	cfg := config.Starter{Tokens: []config.Token{{Name: "shop", Value: config.NewSecret(apiToken)}}}
	go func() {
		defer close(a.done)
		a.err = app.ServeStarter(ctx, listener, c, cfg, s.logger("api"), watch)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-a.done
		assert.NoError(s.t, a.err)
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
	r, err := a.call(a.within(timeout), "", body)
	require.NoError(a.t, err)
	return r
}

func (a *served) get(path string) reply {
	a.t.Helper()
	r, err := a.call(a.within(timeout), path, "")
	require.NoError(a.t, err)
	return r
}

func TestTwentyPostsForOneUserAreOneVerification(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	a := serveAPI(start(t, options{}))
	replies := make([]reply, 20)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			r, err := a.call(a.within(timeout), "", `{"user_id":"u1"}`)
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
		r.UpdatedAt, r.CheckedAt = time.Time{}, time.Time{} // only an answer 200 has them
		assert.Equal(t, replies[0].RunID, r.RunID)
		assert.Equal(t, replies[0].URL, r.URL)
		assert.Equal(t, replies[0].SessionID, r.SessionID)
		first := replies[0].Verification
		first.UpdatedAt, first.CheckedAt = time.Time{}, time.Time{}
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
	assert.Equal(t, http.StatusNotFound, none.code, "there is no verification to wait for")
	assert.Equal(t, "/problems/no-such-verification", none.Problem.Type)

	began := a.post(`{"user_id":"u1"}`)
	require.Equal(t, http.StatusCreated, began.code, began.raw)
	open := a.get("/u1?wait=10ms")
	assert.Equal(t, http.StatusOK, open.code)
	assert.Empty(t, open.Outcome)
	assert.Equal(t, began.RunID, open.RunID)
	assert.Equal(t, began.URL, open.URL, "a page that was closed can be opened again")

	polled := make(chan reply, 1)
	go func() {
		r, err := a.call(a.within(timeout), "/u1?wait=60s", "")
		if err != nil {
			t.Error(err)
		}
		polled <- r
	}()
	a.press(began.URL, "approve")
	verdict := <-polled
	assert.Equal(t, http.StatusOK, verdict.code)
	assert.Equal(t, kyc.OutcomeApproved, verdict.Outcome)
	assert.Empty(t, verdict.URL)
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

// Under Didit's limit a caller learns how long it takes, and gets the URL when it asks again.
func TestASlowQueueIsAcceptedWithAnEstimate(t *testing.T) {
	t.Parallel()
	a := serveAPI(startLimited(t))
	slow := float32(0.02) // one call in fifty seconds
	a.anyone("somebody@console", &slow)
	for _, user := range []string{"first", "second", "third"} { // the first may still have its turn at once
		go func() { _, _ = a.call(a.within(timeout), "", `{"user_id":"`+user+`"}`) }()
	}
	a.eventually(func() bool {
		turn, err := a.QueuePosition(a.within(timeout), kyc.PriorityInteractive)
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
	assert.Zero(t, paused.ETASeconds, "the length of a pause is unknown")
	assert.Equal(t, "5", paused.header.Get("Retry-After"))
	assert.Equal(t, waits.RunID, paused.RunID)

	a.anyone("somebody@console", nil)
	a.eventually(func() bool { return a.post(`{"user_id":"u1"}`).code == http.StatusOK }, "the session")
	came := a.post(`{"user_id":"u1"}`)
	assert.NotEmpty(t, came.URL)
	assert.Equal(t, waits.RunID, came.RunID)
	assert.Equal(t, 1, a.sessionsOf("u1"))
}

// The program itself: it says where it listens, answers, and ends by SIGTERM as if nothing had happened.
func TestServeRunsAsAProcess(t *testing.T) {
	t.Parallel()
	s, starter := start(t, options{}), build(t, "starter")
	cmd := exec.CommandContext(s.within(timeout), starter, "serve")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isTemporal),
		"TEMPORAL_ADDRESS="+s.server.Address, "STARTER_ADDR=127.0.0.1:0", "STARTER_TOKENS=shop:"+apiToken)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var line struct{ Msg, Address string }
	lines := json.NewDecoder(out)
	for line.Msg != "api listens" {
		require.NoError(t, lines.Decode(&line), "it ended before it listened")
	}
	a := &served{system: s, url: "http://" + line.Address}
	assert.Equal(t, http.StatusCreated, a.post(`{"user_id":"u1"}`).code)
	check := exec.CommandContext(s.within(timeout), starter, "serve", "--check")
	check.Env = []string{"STARTER_ADDR=" + line.Address}
	require.NoError(t, check.Run())

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	for line.Msg != "api has stopped" {
		require.NoError(t, lines.Decode(&line), "it ended without a word")
	}
	require.NoError(t, cmd.Wait())
}

// The README's lines are run as they stand there, but for the address and the token, while a person presses Approve.
func TestTheReadmesCurlsWork(t *testing.T) {
	t.Parallel()
	skip.Program(t, "curl", "curl")
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, script, found := strings.Cut(string(text), "```sh\nAPI=http://127.0.0.1:8081 TOKEN=simulator-api-token\n")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "```")
	a := serveAPI(start(t, options{}))
	cmd := exec.CommandContext(a.within(timeout), "sh", "-ec", script)
	cmd.Env = append(os.Environ(), "API="+a.url, "TOKEN="+apiToken)
	var out bytes.Buffer
	cmd.Stdout = &out
	require.NoError(t, cmd.Start())
	a.eventually(func() bool { return a.sessionsOf("u-1042") == 1 }, "the first line has started it")
	session := a.begin("u-1042").Session
	a.open(session.URL)
	require.NoError(t, a.sim.SetStatus(session.SessionID, didit.StatusApproved)) // the button would lead to the return URL
	require.NoError(t, cmd.Wait())
	d := json.NewDecoder(&out)
	var began, stands api.Verification
	require.NoError(t, d.Decode(&began), out.String())
	require.NoError(t, d.Decode(&stands), out.String())
	assert.NotEmpty(t, began.URL)
	assert.Equal(t, kyc.OutcomeApproved, stands.Outcome)
	assert.Equal(t, began.RunID, stands.RunID)
	var described map[string]any
	require.NoError(t, d.Decode(&described))
	assert.Equal(t, "3.1.0", described["openapi"])
}
