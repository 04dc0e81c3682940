package e2e

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

func TestAClientThatGoesAwayDoesNotEndTheVerification(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	a := serveAPI(startLimited(t))
	none := float32(0)
	a.anyone("somebody@console", &none)
	ctx, leave := context.WithCancel(a.within(timeout))
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
	skip.Long(t)
	a := serveAPI(start(t, options{}))
	require.Equal(t, http.StatusCreated, a.post(`{"user_id":"u1"}`).code)
	polled := make(chan reply, 1)
	go func() {
		r, err := a.call(a.within(timeout), "/u1?wait=60s", "")
		if err != nil {
			t.Error(err)
		}
		polled <- r
	}()
	a.eventually(func() bool { return runs("starter/api.(*API).await") }, "a caller waits")
	a.stop()
	r := <-polled
	assert.Equal(t, http.StatusOK, r.code)
	assert.Empty(t, r.Outcome)
	<-a.done
	require.NoError(t, a.err)
}

// runs reports whether a function is on some goroutine's stack.
func runs(function string) bool {
	stacks := make([]byte, 4<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(function))
}

func TestRefusalsOfDiditReachTheCaller(t *testing.T) {
	skip.Long(t)
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
	skip.Long(t)
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
	skip.Long(t)
	t.Parallel()
	a := serveAPI(start(t, options{server: tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")}}))
	require.Equal(t, http.StatusCreated, a.post(`{"user_id":"u1"}`).code)
	require.NoError(t, a.server.Kill())
	r := a.post(`{"user_id":"u2"}`)
	assert.Equal(t, http.StatusServiceUnavailable, r.code, r.raw)
	assert.Equal(t, "/problems/temporal-unavailable", r.Problem.Type)
	assert.Equal(t, api.ErrorTypeTemporal, r.Problem.ErrorType)
	assert.NotEmpty(t, r.header.Get("Retry-After"))
	require.NoError(t, a.server.Restart(a.within(timeout)))
	a.eventually(func() bool { return a.post(`{"user_id":"u2"}`).URL != "" }, "the same request again")
	assert.Equal(t, 1, a.sessionsOf("u2"))
}
