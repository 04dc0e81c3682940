package diditsim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func (b bundle) tryCreate(ctx context.Context, vendorData string) error {
	_, err := b.api.CreateSession(ctx, didit.CreateSessionRequest{WorkflowID: flow, VendorData: vendorData})
	return err
}

// eventually awaits what another goroutine does.
func eventually(t *testing.T, what func() bool) {
	t.Helper()
	require.Eventually(t, what, 10*time.Second, time.Millisecond)
}

func TestWhatAFaultDoesAndWhatTheCallerSees(t *testing.T) {
	for name, tc := range map[string]struct {
		fault diditsim.Fault
		code  int // in Calls
		err   string
		made  int
	}{
		"a refusal does nothing":                   {diditsim.Fault{}, 500, "status 500", 0},
		"a refusal may take its time":              {diditsim.Fault{Status: 503, Delay: 1, DelayAnswer: 1}, 503, "status 503", 0},
		"the gateway fails after it was done":      {diditsim.Fault{Kind: diditsim.CommitThenStatus, Status: 502, Body: "<html>"}, 502, "status 502", 1},
		"the connection is lost before":            {diditsim.Fault{Kind: diditsim.HangUp}, 0, "EOF", 0},
		"the connection is lost after it was done": {diditsim.Fault{Kind: diditsim.CommitThenHangUp}, 0, "EOF", 1},
		"it is done after the connection is lost":  {diditsim.Fault{Kind: diditsim.HangUpThenCommit, Delay: time.Millisecond}, 0, "EOF", 1},
		"slow, but it works":                       {diditsim.Fault{Kind: diditsim.Slow, Delay: 1, DelayAnswer: 1}, 201, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, diditsim.Options{})
			b.FailNext("POST", "/v3/session/", tc.fault)
			err := b.tryCreate(t.Context(), "u1")
			if tc.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tc.err)
			}
			assert.Equal(t, map[diditsim.Call]int{{Endpoint: diditsim.EndpointCreate, Code: tc.code}: 1}, b.Calls())
			eventually(t, func() bool { return len(b.Sessions()) == tc.made })
			b.create(t, "u1")
			assert.Len(t, b.Sessions(), 1, "the session of the unclear call is handed out again")
		})
	}
}

func TestASlowAnswerIsTheRealOne(t *testing.T) {
	b := start(t, diditsim.Options{})
	b.FailNext("", "/v3/", diditsim.Fault{Kind: diditsim.Slow, Delay: 10 * time.Millisecond, DelayAnswer: 10 * time.Millisecond, Times: 2})
	began := time.Now()
	s := b.create(t, "u1")
	assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
	assert.Equal(t, b.Sessions()[0].URL, s.URL)
	code, header, body := b.call(t, "GET", "/v3/session/nobody/decision/", apiKey, "")
	assert.Equal(t, 404, code)
	assert.Equal(t, "application/json", header.Get("Content-Type"))
	assert.JSONEq(t, `{"detail":"Not found."}`, body)
}

// Go's client repeats a GET by itself if a connection that it kept is closed without a byte.
func TestEveryHangUpIsNoticed(t *testing.T) {
	b := start(t, diditsim.Options{})
	id := b.create(t, "u1").ID
	for _, kind := range []diditsim.FaultKind{diditsim.HangUp, diditsim.CommitThenHangUp, diditsim.HangUpThenCommit} {
		for name, call := range map[string]func() error{
			"decision": func() error { _, err := b.api.Decision(t.Context(), id); return err },
			"list":     func() error { _, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{}); return err },
			"create":   func() error { return b.tryCreate(t.Context(), "u2") },
			"update": func() error {
				return b.api.UpdateStatus(t.Context(), id, didit.UpdateStatusRequest{NewStatus: didit.StatusApproved})
			},
		} {
			require.NoError(t, b.tryCreate(t.Context(), "u1")) // a connection is kept
			b.FailNext("", "/v3/", diditsim.Fault{Kind: kind})
			err := call()
			require.Error(t, err, name)
			_, answered := errors.AsType[*didit.APIError](err)
			assert.False(t, answered, "%s: %v", name, err)
		}
	}
}

func TestACallerThatGivesUpDuringADelay(t *testing.T) {
	for name, tc := range map[string]struct {
		fault diditsim.Fault
		made  int
	}{
		"before has prevented it":       {diditsim.Fault{Kind: diditsim.Slow, Delay: time.Hour}, 0},
		"after has not":                 {diditsim.Fault{Kind: diditsim.Slow, DelayAnswer: time.Hour}, 1},
		"before a gateway's failure":    {diditsim.Fault{Kind: diditsim.CommitThenStatus, Delay: time.Hour}, 0},
		"after it, before a failure":    {diditsim.Fault{Kind: diditsim.CommitThenStatus, DelayAnswer: time.Hour}, 1},
		"before a hang-up":              {diditsim.Fault{Kind: diditsim.CommitThenHangUp, Delay: time.Hour}, 0},
		"of a refusal has lost nothing": {diditsim.Fault{Delay: time.Hour}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, diditsim.Options{})
			arrived := make(chan struct{})
			tc.fault.Match = func(*http.Request) bool { close(arrived); return true }
			b.FailNext("POST", "/v3/session/", tc.fault)
			ctx, giveUp := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- b.tryCreate(ctx, "u1") }()
			<-arrived
			eventually(t, func() bool { return len(b.Sessions()) == tc.made })
			giveUp()
			assert.ErrorIs(t, <-ended, context.Canceled)
			eventually(t, func() bool { return b.CallCount(diditsim.EndpointCreate, 0) == 1 })
			assert.Len(t, b.Sessions(), tc.made)
		})
	}
}

func TestCloseEndsDelays(t *testing.T) {
	b := start(t, diditsim.Options{})
	arrived := make(chan struct{})
	b.FailNext("", "", diditsim.Fault{Kind: diditsim.Slow, Delay: time.Hour, Match: func(*http.Request) bool { close(arrived); return true }})
	ended := make(chan error, 1)
	go func() { ended <- b.tryCreate(t.Context(), "u1") }()
	<-arrived
	b.Close()
	assert.NoError(t, <-ended)
}

func TestAFaultMayConcernOneUser(t *testing.T) {
	b := start(t, diditsim.Options{})
	first, second := b.create(t, "u1"), b.create(t, "u2")
	create := `{"workflow_id":"` + flow + `","vendor_data":"u2"}`
	for name, tc := range map[string]struct{ method, path, body string }{
		"create":        {"POST", "/v3/session/", create},
		"list":          {"GET", "/v3/sessions/?vendor_data=u2", ""},
		"decision":      {"GET", "/v3/session/" + second.ID + "/decision/", ""},
		"update":        {"PATCH", "/v3/session/" + second.ID + "/update-status/", "{}"},
		"hosted page":   {"GET", "/session/" + second.Token, ""},
		"missing slash": {"GET", "/v3/session/" + second.ID + "/decision", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b.FailNext("", "", diditsim.Fault{Status: 418, VendorData: "u2"})
			for _, other := range [][3]string{
				{"POST", "/v3/session/", strings.ReplaceAll(create, "u2", "u1")}, {"POST", "/v3/session/", "{"}, {"GET", "/v3/sessions/", ""},
				{"GET", "/v3/session/" + first.ID + "/decision/", ""}, {"GET", "/v3/session/nobody/decision/", ""},
				{"GET", "/session/" + first.Token, ""}, {"GET", "/", ""},
			} {
				code, _, _ := b.call(t, other[0], other[1], apiKey, other[2])
				assert.NotEqual(t, 418, code, other)
			}
			code, _, _ := b.call(t, tc.method, tc.path, apiKey, tc.body)
			assert.Equal(t, 418, code)
			code, _, _ = b.call(t, tc.method, tc.path, apiKey, tc.body)
			assert.NotEqual(t, 418, code, "used up")
		})
	}
}

func TestAMatcherReadsTheBodyAndLeavesItToTheEndpoint(t *testing.T) {
	b := start(t, diditsim.Options{})
	match := func(r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		b.Sessions() // it may ask the Server
		b.Calls()
		return strings.Contains(string(body), "unlucky")
	}
	b.FailNext("POST", "", diditsim.Fault{Status: 418, Match: match})
	b.FailNext("POST", "", diditsim.Fault{Kind: diditsim.CommitThenStatus, Status: 502, Match: match})
	b.create(t, "fortunate")
	assert.Equal(t, 418, refusal(t, b.tryCreate(t.Context(), "unlucky")).StatusCode)
	assert.Equal(t, 502, refusal(t, b.tryCreate(t.Context(), "unlucky")).StatusCode)
	assert.Len(t, b.SessionsOf("unlucky"), 1, "it read the body as well")
	long := `{"vendor_data":"` + strings.Repeat("x", 1<<20) + `"}`
	b.FailNext("POST", "", diditsim.Fault{Match: match})
	code, _, _ := b.call(t, "POST", "/v3/session/", apiKey, long)
	assert.Equal(t, http.StatusRequestEntityTooLarge, code, "too long stays too long")
}

func TestClearedFaultsDoNotHappen(t *testing.T) {
	b := start(t, diditsim.Options{})
	b.FailNext("", "", diditsim.Fault{Times: 1000})
	assert.Error(t, b.tryCreate(t.Context(), "u1"))
	b.ClearFaults()
	assert.NoError(t, b.tryCreate(t.Context(), "u1"))
}

func TestAConnectionThatCannotBeClosedIsA502(t *testing.T) {
	b := start(t, diditsim.Options{})
	b.FailNext("", "", diditsim.Fault{Kind: diditsim.HangUp})
	assert.Equal(t, http.StatusBadGateway, answerOf(b.Server, newRequest("GET", "/v3/sessions/", apiKey)))
	assert.Equal(t, 1, b.CallCount(diditsim.EndpointList, http.StatusBadGateway))
}

func TestEachUserMeetsItsFaultOnce(t *testing.T) {
	const users = 300
	b := start(t, diditsim.Options{Limits: diditsim.Unlimited})
	for i := range users {
		b.FailNext("POST", "/v3/session/", diditsim.Fault{Kind: diditsim.CommitThenHangUp, VendorData: "u" + strconv.Itoa(i)})
	}
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := worker; i < users; i += 16 {
				assert.Error(t, b.tryCreate(t.Context(), "u"+strconv.Itoa(i)))
				assert.NoError(t, b.tryCreate(t.Context(), "u"+strconv.Itoa(i)))
			}
		})
	}
	wg.Wait()
	assert.Len(t, b.Sessions(), users)
	assert.Equal(t, map[diditsim.Call]int{
		{Endpoint: diditsim.EndpointCreate}: users, {Endpoint: diditsim.EndpointCreate, Code: 201}: users,
	}, b.Calls())
}
