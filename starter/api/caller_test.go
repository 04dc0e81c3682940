package api

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const reason = `{"reason":"duplicate:CASE-1"}`

// everyRoute is a good request for each of them.
var everyRoute = []struct {
	method, path, body string
	scope              Scope
}{
	{http.MethodPost, "", `{"user_id":"u1"}`, ScopeStart},
	{http.MethodPost, "", `{"user_id":"u1","reverify":true}`, ScopeReverify},
	{http.MethodGet, "", "", ScopeRead},
	{http.MethodGet, "/u1", "", ScopeRead},
	{http.MethodGet, "/u1/history", "", ScopeRead},
	{http.MethodPost, "/u1/cancel", reason, ScopeDecide},
	{http.MethodPost, "/u1/refresh", reason, ScopeDecide},
	{http.MethodPost, "/u1/decision", `{"verb":"approve","reason":"documents-checked:CASE-1"}`, ScopeDecide},
	{http.MethodDelete, "/u1", `{"reason":"request:CASE-1","legal_hold_checked":true}`, ScopeErase},
}

// willing makes everything succeed.
func (b *bench) willing() {
	b.fake.start = func(_ context.Context, in kyc.Input) (kyc.Started, error) { return newOne(in.UserID), nil }
	b.fake.find = func(_ context.Context, userID string) (kyc.Found, error) {
		return kyc.Found{State: approved(userID), RunID: "run-1"}, nil
	}
	b.timeline = func(context.Context, string) ([]ops.Step, error) {
		return []ops.Step{{Time: noon, WorkflowID: "kyc-u1", RunID: "run-1", What: ops.StepStarted}}, nil
	}
	b.update = func(_ context.Context, _, userID string, _ ops.Request) (kyc.State, error) {
		return approved(userID), nil
	}
	b.fake.operate = func(_ context.Context, op kyc.Operation) (kyc.OperationResult, error) {
		return kyc.OperationResult{UserID: op.UserID, Verb: op.Verb, Changed: true}, nil
	}
}

func TestEachRouteNeedsItsScope(t *testing.T) {
	for _, tc := range everyRoute {
		for _, has := range Scopes() {
			b := newBench(t, func(o *Options) {
				o.Callers = []Caller{{Name: "shop", Token: token, Scopes: []Scope{has, ScopeStart}}}
				if tc.scope == ScopeStart {
					o.Callers[0].Scopes = []Scope{has}
				}
			})
			b.willing()
			rec := b.request(tc.method, Path+tc.path, tc.body, nil)
			if has == tc.scope {
				assert.Less(t, rec.Code, 300, "%s %s: %s", tc.method, tc.path, rec.Body)
				continue
			}
			p := problemIn(t, rec)
			assert.Equal(t, forbidden.name, p.name(), "%s %s with %s", tc.method, tc.path, has)
			assert.Contains(t, p.Detail, "no scope "+string(tc.scope))
			assert.Zero(t, b.calls)
		}
		b := newBench(t, nil)
		b.willing()
		assert.Less(t, b.request(tc.method, Path+tc.path, tc.body, nil).Code, 300, "no scopes: all")
	}
	assert.Len(t, everyRoute, len(routes)+1)
}

func TestACallerStartsOnlyItsFlowsAndHosts(t *testing.T) {
	const mine, other = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
	for name, tc := range map[string]struct {
		body, field, flow string
	}{
		"no flow takes the first":   {`{"user_id":"u1"}`, "", mine},
		"its flow":                  {`{"user_id":"u1","workflow_id":"` + mine + `"}`, "", mine},
		"another flow":              {`{"user_id":"u1","workflow_id":"` + other + `"}`, "workflow_id", ""},
		"its host, with a port":     {`{"user_id":"u1","return_url":"https://Shop.example:8443/x"}`, "", mine},
		"another host":              {`{"user_id":"u1","return_url":"https://evil.example/"}`, "return_url", ""},
		"a host below its own":      {`{"user_id":"u1","return_url":"https://x.shop.example/"}`, "return_url", ""},
		"a host that begins alike":  {`{"user_id":"u1","return_url":"https://shop.example.evil.example/"}`, "return_url", ""},
		"its host as a user's name": {`{"user_id":"u1","return_url":"https://evil.example/@shop.example"}`, "return_url", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *Options) {
				o.Callers = []Caller{{Name: "shop", Token: token, Flows: []string{mine}, ReturnHosts: []string{"shop.example"}}}
			})
			var got kyc.Input
			b.fake.start = func(_ context.Context, in kyc.Input) (kyc.Started, error) {
				got = in
				return newOne(in.UserID), nil
			}
			rec := b.post(tc.body)
			if tc.field == "" {
				require.Equal(t, http.StatusCreated, rec.Code, rec.Body)
				assert.Equal(t, tc.flow, got.WorkflowID)
				return
			}
			p := problemIn(t, rec)
			assert.Equal(t, forbidden.name, p.name())
			assert.Equal(t, tc.field, p.Errors[0].Field)
			assert.Zero(t, b.calls)
		})
	}
}

// A caller that has used up its share is refused; the other one is served.
func TestACallerHasAShareOfTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) {
			o.Callers = []Caller{{Name: "shop", Token: token, Polls: 1}, {Name: "shop", Token: newToken}, {Name: "operations", Token: opsToken}}
		})
		b.open(nil)
		codes := make(chan int)
		go func() { codes <- b.get(Path + "/u1?wait=20s").Code }()
		synctest.Wait()
		p := problemIn(t, b.request(http.MethodGet, Path+"/u2?wait=20s", "", header("Authorization", "Bearer "+newToken)))
		assert.Equal(t, shareUsed.name, p.name(), "two tokens of one name share")
		assert.Equal(t, http.StatusTooManyRequests, p.Status)
		assert.Equal(t, http.StatusOK, b.get(Path+"/u2").Code, "one that does not wait is answered")
		other := b.request(http.MethodGet, Path+"/u2?wait=1s", "", header("Authorization", "Bearer "+opsToken))
		assert.Equal(t, http.StatusOK, other.Code)
		assert.Equal(t, http.StatusOK, <-codes)
		assert.Equal(t, http.StatusOK, b.get(Path+"/u2?wait=1s").Code, "there is room again")
	})
}

// A start that was answered 202 counts until Temporal's list shows that the user waits no more for Didit's limit.
func TestACallerHasAShareOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) {
			o.Callers = []Caller{{Name: "shop", Token: token, Starts: 2}, {Name: "operations", Token: opsToken}}
		})
		var waiting atomic.Value
		waiting.Store(kyc.WaitingForLimit)
		b.fake.list = func(_ context.Context, f kyc.Filter) (page kyc.Page, err error) {
			for _, user := range f.UserIDs {
				page.Items = append(page.Items, kyc.Summary{UserID: user, RunID: "run-1", WaitingFor: waiting.Load().(kyc.WaitingFor)})
			}
			return page, nil
		}
		b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) {
			return kyc.Started{RunID: "run-1"}, fmt.Errorf("wait: %w", client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded))
		}
		for _, user := range []string{"u1", "u2", "u1"} {
			require.Equal(t, http.StatusAccepted, b.post(`{"user_id":"`+user+`"}`).Code, "a repeat is no other start")
		}
		assert.Equal(t, shareUsed.name, problemIn(t, b.post(`{"user_id":"u3"}`)).name())
		other := b.request(http.MethodPost, Path, `{"user_id":"u3"}`, header("Authorization", "Bearer "+opsToken))
		assert.Equal(t, http.StatusAccepted, other.Code)
		time.Sleep(2 * confirmEvery)
		assert.Equal(t, shareUsed.name, problemIn(t, b.post(`{"user_id":"u3"}`)).name(), "they wait still")
		waiting.Store(kyc.WaitingForUser)
		time.Sleep(2 * confirmEvery)
		assert.Equal(t, http.StatusAccepted, b.post(`{"user_id":"u3"}`).Code)
	})
}
