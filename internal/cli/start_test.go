package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func starts(s kyc.Started, err error) func(context.Context, kyc.Input) (kyc.Started, error) {
	return func(context.Context, kyc.Input) (kyc.Started, error) { return s, err }
}

func states(s kyc.State, err error) func(context.Context, string) (kyc.State, error) {
	return func(context.Context, string) (kyc.State, error) { return s, err }
}

const (
	newJSON = `{"user_id":"u1","session_id":"session-1","workflow_id":"flow-1","status":"Not Started","outcome":"","attempt":1,"error_type":"",` +
		`"checks":[],"warnings":[],"url":"https://verify.didit.me/session/s3cret?a=1&b=2","run_id":"run-1","new":true}`
	approvedJSON = `{"user_id":"u1","session_id":"session-1","workflow_id":"flow-1","status":"Approved","outcome":"approved","attempt":2,"error_type":"",` +
		`"checks":[{"feature":"ID_VERIFICATION","status":"Approved"},{"feature":"LIVENESS","status":"Approved"}],` +
		`"warnings":["LOW_LIGHT"],"updated_at":"2026-11-23T12:00:00Z"`
	approvedTable = `user      u1
session   session-1
status    Approved
outcome   approved
attempt   2
checks    ID_VERIFICATION Approved, LIVENESS Approved
warnings  LOW_LIGHT
error     -
updated   2026-11-23T12:00:00Z
workflow  kyc-u1
`
	newTable = `user          u1
verification  new
session       session-1
status        Not Started
url           https://verify.didit.me/session/s3cret?a=1&b=2
workflow      kyc-u1
run           run-1
`
)

func TestStartPrints(t *testing.T) {
	for name, tc := range map[string]struct {
		args string
		fake fake
		want string
	}{
		"a new verification":             {"", fake{start: starts(newOne("u1"), nil)}, newTable},
		"a new verification as JSON":     {"-o json", fake{start: starts(newOne("u1"), nil)}, newJSON + "\n"},
		"a verification that was joined": {"", fake{start: starts(joinedOne("u1"), nil)}, strings.NewReplacer("new", "joined, it was open already", "Not Started", "In Progress").Replace(newTable)},
		"a verdict from before": {"", fake{start: starts(decidedOne("u1"), nil)}, `user          u1
verification  decided before (--reverify starts a new one)
session       session-1
status        Approved
outcome       approved
workflow      kyc-u1
run           run-1
`},
		"a verdict from before as JSON":        {"-o json", fake{start: starts(decidedOne("u1"), nil)}, approvedJSON + `,"url":"","run_id":"run-1","new":false}` + "\n"},
		"a verdict that had to be waited for":  {"--wait", fake{start: starts(newOne("u1"), nil), wait: states(approved("u1"), nil)}, newTable + "\n" + approvedTable},
		"two lines of JSON for one that waits": {"--wait -o json", fake{start: starts(newOne("u1"), nil), wait: states(approved("u1"), nil)}, newJSON + "\n" + approvedJSON + `,"url":"https://verify.didit.me/session/s3cret?a=1&b=2","run_id":"run-1","new":true}` + "\n"},
		"no waiting for a verdict from before": {"--wait -o json", fake{start: starts(decidedOne("u1"), nil)}, approvedJSON + `,"url":"","run_id":"run-1","new":false}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: tc.fake}
			require.NoError(t, b.line(t, "start --user u1 "+tc.args))
			assert.Equal(t, tc.want, b.out.String())
			assert.NotContains(t, b.out.String()+b.errOut.String(), secretToken)
			assert.NotContains(t, b.errOut.String(), "s3cret", "notes may end in a log")
			assert.Equal(t, 1, b.fake.closed)
		})
	}
}

func TestStartSendsTheFlags(t *testing.T) {
	var got kyc.Input
	b := bench{fake: fake{start: func(_ context.Context, in kyc.Input) (kyc.Started, error) {
		got = in
		return newOne("u1"), nil
	}}}
	require.NoError(t, b.line(t, "start --user u1"))
	assert.Equal(t, kyc.Input{UserID: "u1", Priority: kyc.PriorityInteractive}, got)

	require.NoError(t, b.line(t, "start --user u1 --workflow-id 11111111-2222-4333-8444-555555555555 --language pt-BR "+
		"--return-url https://shop.example/back --priority bulk --reverify"))
	assert.Equal(t, kyc.Input{
		UserID: "u1", WorkflowID: "11111111-2222-4333-8444-555555555555", Language: "pt-BR",
		ReturnURL: "https://shop.example/back", Priority: kyc.PriorityBulk, Reverify: true,
	}, got)
}

func TestStartFails(t *testing.T) {
	refused := &kyc.SessionError{UserID: "u1", RunID: "run-1", Type: kyc.ErrorTypeUnauthorized}
	down := errors.New("start the verification of user u1: unavailable")
	for name, tc := range map[string]struct {
		fake fake
		want string
	}{
		"with the type and the hint":     {fake{start: starts(kyc.Started{RunID: "run-1"}, refused)}, "DiditUnauthorized: " + kyc.Hint(kyc.ErrorTypeUnauthorized)},
		"with any other error as it is":  {fake{start: starts(kyc.Started{}, down)}, "start the verification of user u1: unavailable"},
		"when the waiting for it failed": {fake{start: starts(newOne("u1"), nil), wait: states(kyc.State{}, down)}, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: tc.fake}
			require.ErrorContains(t, b.line(t, "start --user u1 --wait"), tc.want)
			assert.Equal(t, 1, b.fake.closed)
		})
	}
}

// blocks is a Start that answers only when its context ends.
func blocks(runID string) func(context.Context, kyc.Input) (kyc.Started, error) {
	return func(ctx context.Context, in kyc.Input) (kyc.Started, error) {
		<-ctx.Done()
		return kyc.Started{RunID: runID}, fmt.Errorf("wait for the session of user %s: %w", in.UserID, ctx.Err())
	}
}

func TestStartGivesUpInTime(t *testing.T) {
	late := fmt.Errorf("wait: %w", client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded))
	for name, tc := range map[string]struct {
		start func(context.Context, kyc.Input) (kyc.Started, error)
		took  time.Duration
		want  string
	}{
		"when Didit's limit makes it wait": {blocks("run-1"), 90 * time.Second, "no session within 1m30s: it waits for Didit's rate limit"},
		"when no worker answers":           {blocks(""), 90 * time.Second, "no answer within 1m30s: is a worker running?"},
		"just before its own clock says":   {starts(kyc.Started{RunID: "run-1"}, late), 0, "The verification goes on; run the same command again for its URL"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, b := time.Now(), bench{fake: fake{start: tc.start}}
				require.ErrorContains(t, b.line(t, "start --user u1 --timeout 90s"), tc.want)
				assert.Equal(t, tc.took, time.Since(begun))
				assert.Empty(t, b.out.String())
			})
		})
	}
}

func TestWaitingIsNotBoundByTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bench{fake: fake{start: starts(newOne("u1"), nil), wait: func(ctx context.Context, _ string) (kyc.State, error) {
			select {
			case <-ctx.Done():
				return kyc.State{}, ctx.Err()
			case <-time.After(14 * 24 * time.Hour):
				return approved("u1"), nil
			}
		}}}
		require.NoError(t, b.line(t, "start --user u1 --wait --timeout 1s"))
		assert.Contains(t, b.out.String(), "approved")
	})
}

func TestStartCanBeInterrupted(t *testing.T) {
	hangs := func(ctx context.Context, _ string) (kyc.State, error) {
		<-ctx.Done()
		return kyc.State{}, ctx.Err()
	}
	for name, tc := range map[string]struct {
		fake fake
		want string
	}{
		"before there is a session":     {fake{start: blocks("run-1")}, "interrupted; if the verification has started it goes on"},
		"while it waits for a verdict":  {fake{start: starts(newOne("u1"), nil), wait: hangs}, "interrupted; the verification goes on: `starter status --user u1` shows it"},
		"while status waits for answer": {fake{state: hangs}, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				b, done := bench{fake: tc.fake}, make(chan error, 1)
				command := "start --user u1 --wait --timeout 1000h"
				if tc.fake.state != nil {
					command = "status --user u1 --timeout 1000h"
				}
				go func() { done <- b.run(ctx, strings.Fields(command)...) }()
				synctest.Wait()
				cancel()
				err := <-done
				require.ErrorIs(t, err, errInterrupted)
				assert.ErrorContains(t, err, tc.want)
			})
		})
	}
}

func TestStartPrintsTheEstimatedWait(t *testing.T) {
	for name, tc := range map[string]struct {
		position ops.QueuePosition
		want     string
	}{
		"behind others": {ops.QueuePosition{Ahead: 582, PerSecond: 4.85}, "waiting for Didit's rate limit: 582 ahead, about 1m59s\n"},
		"paused":        {ops.QueuePosition{Ahead: 3, Paused: true}, "waiting: an operator has paused the calls to Didit; `starter setup` shows who\n"},
		"no user ahead": {ops.QueuePosition{PerSecond: 4.85}, "waiting for Didit or for a worker; no user is ahead\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.position.At = time.Now()
				b := bench{fake: fake{position: tc.position, start: func(_ context.Context, in kyc.Input) (kyc.Started, error) {
					<-time.After(3 * time.Second)
					return newOne(in.UserID), nil
				}}}
				require.NoError(t, b.line(t, "start --user u1"))
				assert.Equal(t, tc.want, b.errOut.String())
				assert.Equal(t, newTable, b.out.String())
			})
		})
	}
}

func TestStartPrintsNoWaitWhenTheURLComesAtOnce(t *testing.T) {
	b := bench{fake: fake{position: ops.QueuePosition{Ahead: 10, PerSecond: 4}, start: starts(newOne("u1"), nil)}}
	require.NoError(t, b.line(t, "start --user u1"))
	assert.Empty(t, b.errOut.String())
}
