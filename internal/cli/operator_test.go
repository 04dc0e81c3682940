package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const orderID = "5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01"

func done(op kyc.Operation) kyc.OperationResult {
	return kyc.OperationResult{UserID: op.UserID, SessionID: "session-1", Verb: op.Verb, Before: didit.StatusInReview, After: op.Verb.Status(), Changed: true}
}

func TestDecidePrints(t *testing.T) {
	for name, tc := range map[string]struct {
		args    string
		already bool
		want    string
	}{
		"what was done": {"--status approved", false, `user      u1
session   session-1
before    In Review
after     Approved
changed   yes
by        jo checked:CASE-1
workflow  kyc-u1~approve-` + orderID + "\n"},
		"what was so before": {"--status resubmitted", true, `user      u1
session   session-1
before    In Review
after     Resubmitted
changed   no, it was so already
by        jo checked:CASE-1
workflow  kyc-u1~resubmit-` + orderID + "\n"},
		"JSON": {"--status declined --session 11111111-2222-4333-8444-555555555555 -o json", false, `{"user_id":"u1","session_id":"session-1","verb":"decline","before":"In Review",` +
			`"after":"Declined","changed":true,"already":false,"workflow_id":"kyc-u1~decline-` + orderID + `"}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bench
			b.fake.operate = func(_ context.Context, op kyc.Operation) (kyc.OperationResult, error) {
				require.NoError(t, op.Validate())
				require.Equal(t, orderID, op.ID)
				r := done(op)
				r.Changed, r.Already = !tc.already, tc.already
				return r, nil
			}
			require.NoError(t, b.line(t, "decide --user u1 --actor jo --reason checked:CASE-1 --id "+orderID+" "+tc.args))
			assert.Equal(t, tc.want, b.out.String())
			assert.Equal(t, 1, b.fake.closed)
		})
	}
}

func TestCancelAndRefreshPrintTheState(t *testing.T) {
	answer := func(_ context.Context, userID string, r ops.Request) (kyc.State, error) {
		require.Equal(t, ops.Request{Operator: kyc.Operator{Actor: "jo", Reason: "asked:CASE-1"}, ID: orderID}, r)
		return approved(userID), nil
	}
	for _, command := range []string{"cancel", "refresh"} {
		b := bench{fake: fake{cancel: answer, refresh: answer}}
		require.NoError(t, b.line(t, command+" --user u1 --actor jo --reason asked:CASE-1 --id "+orderID))
		assert.Equal(t, approvedTable, b.out.String(), command)
	}
}

func TestOperatorsMustSayWhoTheyAre(t *testing.T) {
	for args, want := range map[string]string{
		"decide --user u1 --status approved --reason a:1":                         `"actor" not set`,
		"decide --user u1 --status approved --actor jo":                           `"reason" not set`,
		"decide --user u1 --actor jo --reason a:1":                                `"status" not set`,
		"decide --user u1 --status lapsed --actor jo --reason a:1":                "want approved or declined or resubmitted",
		"cancel --user u1 --actor someone@example.com --reason a:1":               "--actor: want 1 to 64",
		"refresh --user u1 --actor jo --reason (odd)":                             "--reason: want 1 to 128",
		"refresh --user u1 --actor jo --reason a:1 --id 7":                        "--id is not a UUID",
		"cancel --user someone@example.com --actor jo --reason a:1":               "an opaque id",
		"refresh --user u1 --actor jo --reason a:1 --timeout -1s":                 "--timeout is not above zero",
		"decide --user u1 --status approved --actor jo --reason a:1 --id no-uuid": "--id is not a UUID",
	} {
		b := bench{dialError: errNotDialled}
		err := b.line(t, args)
		require.ErrorContains(t, err, want, args)
		require.NotErrorIs(t, err, errNotDialled)
		require.NotContains(t, err.Error(), "someone@")
	}
}

func TestOrdersThatFail(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"refused":  {&ops.OperationError{UserID: "u1", What: "cancel", Type: kyc.ErrorTypeRefused, Message: "the verification has ended: approved"}, "cancel user u1: OperationRefused: the verification has ended: approved"},
		"unknown":  {kyc.ErrNotFound, "user u1 has no verification in namespace kyc-test"},
		"anything": {errors.New("no connection"), "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: fake{cancel: func(context.Context, string, ops.Request) (kyc.State, error) { return kyc.State{}, tc.err }}}
			require.ErrorContains(t, b.line(t, "cancel --user u1 --actor jo --reason a:1"), tc.want)
		})
	}
}

// A later command with the same id joins the same operator action.
func TestAnOrderThatTakesTooLongNamesItsID(t *testing.T) {
	var id string
	b := bench{fake: fake{refresh: func(ctx context.Context, _ string, r ops.Request) (kyc.State, error) {
		id = r.ID
		<-ctx.Done()
		return kyc.State{}, ctx.Err()
	}}}
	require.ErrorContains(t, b.line(t, "refresh --user u1 --actor jo --reason a:1 --timeout 1ms"), "--id")
	require.Len(t, id, 36)
}

func TestHistoryPrints(t *testing.T) {
	timeline := []ops.Step{
		{Time: noon, WorkflowID: "kyc-u1", RunID: "r1", What: ops.StepStarted},
		{Time: noon.Add(time.Second), WorkflowID: "kyc-u1", RunID: "r1", What: ops.StepEvent, Status: didit.StatusInReview, SessionID: "s1", Note: "of\t2026-11-23T12:00:00Z"},
		{Time: noon.Add(time.Hour), WorkflowID: "kyc-u1~approve-x", RunID: "r2", What: ops.StepAction, Actor: "jo", Reason: "checked:CASE-1", Note: "approve"},
		{Time: noon.Add(2 * time.Hour), WorkflowID: "kyc-u1", RunID: "r1", What: ops.StepEnded, Status: didit.StatusApproved, Outcome: kyc.OutcomeApproved, SessionID: "s1"},
	}
	b := bench{fake: fake{timeline: func(context.Context, string) ([]ops.Step, error) { return timeline, nil }}}
	require.NoError(t, b.line(t, "status --user u1 --history"))
	assert.Equal(t, `time                  what     status               by                 workflow          more
2026-11-23T12:00:00Z  started  -                    -                  kyc-u1            -
2026-11-23T12:00:01Z  event    In Review            -                  kyc-u1            of 2026-11-23T12:00:00Z
2026-11-23T13:00:00Z  order    -                    jo checked:CASE-1  kyc-u1~approve-x  approve
2026-11-23T14:00:00Z  ended    Approved (approved)  -                  kyc-u1            -
`, b.out.String())
	b.out.Reset()
	require.NoError(t, b.line(t, "status --user u1 --history -o json"))
	lines := strings.Split(strings.TrimSpace(b.out.String()), "\n")
	require.Len(t, lines, len(timeline))
	assert.JSONEq(t, `{"time":"2026-11-23T13:00:00Z","workflow_id":"kyc-u1~approve-x","run_id":"r2","what":"order","actor":"jo","reason":"checked:CASE-1","note":"approve"}`, lines[2])

	b.fake.timeline = func(context.Context, string) ([]ops.Step, error) { return nil, kyc.ErrNotFound }
	require.ErrorContains(t, b.line(t, "status --user u1 --history"), "user u1 has no verification")
}
