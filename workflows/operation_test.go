package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

const order = "5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01"

var jo = kyc.Operator{Actor: "jo", Reason: "documents-checked:CASE-1042"}

// desk is a Didit whose session has a true status, which answers to orders may hide.
type desk struct {
	*world
	answers []answer // to the orders, one after the other; the last one stays
	calls   int
	checks  int
	reviews int   // orders that were carried out
	noLook  error // what stands against reading the reviews
}

// answer is what becomes of one order: whether it is carried out, what the caller hears, and what else happens then.
type answer struct {
	done bool
	err  error
	then didit.Status
}

func newDesk(t *testing.T, truth didit.Status, answers ...answer) *desk {
	t.Helper()
	d := &desk{world: newWorld(t), answers: answers}
	d.truth = truth
	d.OnActivity(acts.FindSession, mock.Anything, activities.FindSessionInput{UserID: user}).
		Return(activities.FoundSession{SessionID: session}, nil)
	d.OnActivity(acts.ReadDecision, mock.Anything, activities.ReadDecisionInput{SessionID: session, UserID: user}).
		Return(func(context.Context, activities.ReadDecisionInput) (activities.Decision, error) {
			d.reads++
			return activities.Decision{Status: d.truth, Foreign: d.foreign}, nil
		})
	d.OnActivity(acts.SetStatus, mock.Anything, mock.Anything).
		Return(func(_ context.Context, in activities.SetStatusInput) error {
			require.Equal(t, jo.String(), in.Comment)
			a := d.answers[min(d.calls, len(d.answers)-1)]
			d.calls++
			if a.done {
				d.truth = in.Status
				d.reviews++
			}
			if a.then != "" {
				d.truth = a.then
			}
			return a.err
		})
	d.OnActivity(acts.FindReview, mock.Anything, mock.Anything).
		Return(func(_ context.Context, in activities.FindReviewInput) (activities.FoundReview, error) {
			require.Equal(t, jo.String(), in.Comment)
			return activities.FoundReview{Found: d.reviews > 0}, d.noLook
		})
	d.OnActivity(acts.CheckLater, mock.Anything, mock.Anything).
		Return(func(_ context.Context, in activities.CheckLaterInput) error {
			require.Equal(t, activities.CheckLaterInput{UserID: user, OperationID: order, SessionID: session, Status: d.truth}, in)
			d.checks++
			return nil
		})
	return d
}

// orders runs an operation to its end.
func (d *desk) orders(v kyc.Verb) (kyc.OperationResult, *temporal.ApplicationError) {
	d.t.Helper()
	d.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: kyc.OperationID(user, v, order), TaskQueue: kyc.TaskQueue})
	d.ExecuteWorkflow(workflows.Operation, kyc.Operation{UserID: user, Verb: v, Operator: jo})
	require.True(d.t, d.IsWorkflowCompleted())
	var result kyc.OperationResult
	var refused *temporal.ApplicationError
	if err := d.GetWorkflowError(); err != nil {
		require.ErrorAs(d.t, err, &refused)
		return result, refused
	}
	require.NoError(d.t, d.GetWorkflowResult(&result))
	return result, nil
}

func TestEveryVerbOnEveryStatus(t *testing.T) {
	reviewable := map[didit.Status]bool{
		didit.StatusApproved: true, didit.StatusDeclined: true, didit.StatusInReview: true,
		didit.StatusKycExpired: true, didit.StatusAbandoned: true, didit.StatusResubmitted: true,
	}
	for _, verb := range kyc.Verbs() {
		if verb == kyc.VerbErase { // of the user, not of a session
			continue
		}
		for _, before := range didit.Statuses() {
			t.Run(string(verb)+" "+string(before), func(t *testing.T) {
				d := newDesk(t, before, answer{done: true})
				got, refused := d.orders(verb)
				want := kyc.OperationResult{UserID: user, SessionID: session, Verb: verb, Before: before, After: verb.Status()}
				switch {
				case before == verb.Status():
					want.Already = true
					require.Equal(t, want, got)
					require.Zero(t, d.calls+d.checks)
				case reviewable[before]:
					want.Changed = true
					require.Equal(t, want, got)
					require.Equal(t, 1, d.calls)
					require.Equal(t, 1, d.checks)
				default:
					require.Equal(t, kyc.ErrorTypeRefused, refused.Type())
					require.Contains(t, refused.Message(), string(before))
					require.Zero(t, d.calls+d.checks)
				}
			})
		}
	}
}

func failure(kind string) error { return temporal.NewApplicationError("from Didit", kind) }

func TestOrdersThatGoWrong(t *testing.T) {
	lost, tooFast := failure(kyc.ErrorTypeUnavailable), failure(kyc.ErrorTypeRateLimited)
	no := failure(kyc.ErrorTypeRejected)
	for name, tc := range map[string]struct {
		verb    kyc.Verb
		answers []answer
		calls   int
		changed bool
		refused string // the error's type
		text    string
	}{
		"done, and the answer lost":                           {kyc.VerbApprove, []answer{{done: true, err: lost}}, 1, true, "", ""},
		"asked again, and the answer lost":                    {kyc.VerbResubmit, []answer{{done: true, err: lost}}, 1, true, "", ""},
		"lost on the way":                                     {kyc.VerbApprove, []answer{{err: lost}, {done: true}}, 2, true, "", ""},
		"lost on the way, then the answer lost":               {kyc.VerbDecline, []answer{{err: lost}, {done: true, err: lost}}, 2, true, "", ""},
		"too fast":                                            {kyc.VerbApprove, []answer{{err: tooFast}, {err: tooFast}, {done: true}}, 3, true, "", ""},
		"somebody else did it while Didit asked to wait":      {kyc.VerbApprove, []answer{{err: tooFast, then: didit.StatusApproved}}, 1, false, "", ""},
		"somebody else did another thing meanwhile":           {kyc.VerbApprove, []answer{{err: tooFast, then: didit.StatusDeclined}}, 1, false, kyc.ErrorTypeRefused, "was In Review and is now Declined: somebody else"},
		"done and lost, and the user is back before we look":  {kyc.VerbResubmit, []answer{{done: true, err: lost, then: didit.StatusInReview}}, 1, true, "", ""},
		"done and lost, and somebody goes on":                 {kyc.VerbResubmit, []answer{{done: true, err: lost, then: didit.StatusDeclined}}, 1, true, "", ""},
		"lost on the way, and then another thing":             {kyc.VerbResubmit, []answer{{err: lost, then: didit.StatusApproved}}, 1, false, kyc.ErrorTypeRefused, "somebody else"},
		"done, and the user is back at once":                  {kyc.VerbResubmit, []answer{{done: true, then: didit.StatusApproved}}, 1, true, "", ""},
		"refused, since somebody was faster by a moment":      {kyc.VerbApprove, []answer{{err: no, then: didit.StatusDeclined}}, 1, false, kyc.ErrorTypeRefused, "somebody else"},
		"refused, since the same was done a moment before":    {kyc.VerbResubmit, []answer{{err: no, then: didit.StatusResubmitted}}, 1, false, "", ""},
		"refused by Didit for a reason of its own":            {kyc.VerbResubmit, []answer{{err: no}}, 1, false, kyc.ErrorTypeRefused, "which is In Review: from Didit"},
		"refused since the lost order had been done too late": {kyc.VerbResubmit, []answer{{err: lost}, {done: true, err: no}}, 2, true, "", ""},
		"the key may not":                                     {kyc.VerbApprove, []answer{{err: failure(kyc.ErrorTypeUnauthorized)}}, 1, false, kyc.ErrorTypeUnauthorized, "from Didit"},
		"no credit":                                           {kyc.VerbApprove, []answer{{err: failure(kyc.ErrorTypeOutOfCredit)}}, 1, false, kyc.ErrorTypeOutOfCredit, "from Didit"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, didit.StatusInReview, tc.answers...)
			got, refused := d.orders(tc.verb)
			require.Equal(t, tc.calls, d.calls)
			if tc.refused != "" {
				require.NotNil(t, refused)
				require.Equal(t, tc.refused, refused.Type())
				require.Contains(t, refused.Message(), tc.text)
				return
			}
			require.Nil(t, refused)
			require.Equal(t, tc.changed, got.Changed)
			require.Equal(t, !tc.changed, got.Already)
			require.Equal(t, d.truth, got.After)
		})
	}
}

func TestALostAnswerWhereReviewsCannotBeRead(t *testing.T) {
	for now, text := range map[didit.Status]string{didit.StatusApproved: "may have been carried out", didit.StatusInReview: ""} {
		d := newDesk(t, didit.StatusInReview, answer{err: failure(kyc.ErrorTypeUnavailable), then: now}, answer{done: true})
		d.noLook = failure(kyc.ErrorTypeUnauthorized)
		got, refused := d.orders(kyc.VerbResubmit)
		if text == "" {
			require.True(t, got.Changed)
			continue
		}
		require.Equal(t, kyc.ErrorTypeRefused, refused.Type())
		require.Contains(t, refused.Message(), text)
	}
}

func TestAnOrderAboutAForeignSessionIsRefused(t *testing.T) {
	d := newDesk(t, didit.StatusInReview, answer{done: true})
	d.foreign = []string{"vendor_data"}
	_, refused := d.orders(kyc.VerbApprove)
	require.Equal(t, kyc.ErrorTypeRefused, refused.Type())
	require.Contains(t, refused.Message(), "vendor_data")
	require.Zero(t, d.calls)
}

func TestAnOrderThatIsStoppedIsNotDone(t *testing.T) {
	d := newDesk(t, didit.StatusInReview, answer{err: failure(kyc.ErrorTypeRateLimited)})
	d.RegisterDelayedCallback(d.CancelWorkflow, time.Hour)
	d.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: kyc.OperationID(user, kyc.VerbApprove, order), TaskQueue: kyc.TaskQueue})
	d.ExecuteWorkflow(workflows.Operation, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo})
	var stopped *temporal.CanceledError
	require.ErrorAs(t, d.GetWorkflowError(), &stopped)
	require.Zero(t, d.checks)
}

func TestOperationsThatBreakARule(t *testing.T) {
	right := kyc.OperationID(user, kyc.VerbApprove, order)
	for name, tc := range map[string]struct {
		id   string
		in   kyc.Operation
		want string
	}{
		"no user":                        {right, kyc.Operation{Verb: kyc.VerbApprove, Operator: jo}, "user_id is empty"},
		"no verb":                        {right, kyc.Operation{UserID: user, Operator: jo}, "want one of [approve decline resubmit erase]"},
		"no actor":                       {right, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: kyc.Operator{Reason: "a:1"}}, "actor: want 1 to 64"},
		"no reason":                      {right, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: kyc.Operator{Actor: "jo"}}, "reason: want 1 to 128"},
		"another workflow id":            {"approve-u1", kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}, "must be kyc-u1~approve- and a new UUID"},
		"another verb's":                 {kyc.OperationID(user, kyc.VerbDecline, order), kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}, "must be kyc-u1~approve-"},
		"an id without a UUID":           {"kyc-u1~approve-1", kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}, "a new UUID"},
		"nobody thought of a legal hold": {kyc.OperationID(user, kyc.VerbErase, order), kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: jo}, "legal_hold_checked: nothing is erased until"},
		"an erasure of one session":      {kyc.OperationID(user, kyc.VerbErase, order), kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: jo, LegalHoldChecked: true, SessionID: session}, "of the whole user"},
		"no session's id":                {right, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo, SessionID: "s1"}, "session_id is not a UUID"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: tc.id, TaskQueue: kyc.TaskQueue})
			w.ExecuteWorkflow(workflows.Operation, tc.in)
			var refused *temporal.ApplicationError
			require.ErrorAs(t, w.GetWorkflowError(), &refused)
			require.Equal(t, kyc.ErrorTypeInvalidInput, refused.Type())
			require.Contains(t, refused.Message(), tc.want)
		})
	}
}
