package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

const action = "5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01"

// desk is an operator's action on a user with one session. It is what actions ask Temporal, too.
type desk struct {
	*life
	runsOfAction int64
	delivered    []kyc.DiditEvent
	calls        int // of the action itself
}

func (d *desk) SessionOf(context.Context, string) (string, error) { return d.didit.sessions[0].id, nil }
func (d *desk) CountRuns(context.Context, string) (int64, error)  { return d.runsOfAction, nil }

type deskRuns struct {
	runs
	d *desk
}

func (r deskRuns) Deliver(_ context.Context, _ string, ev kyc.DiditEvent, _ kyc.Origin) (kyc.DeliverResult, error) {
	r.d.delivered = append(r.d.delivered, ev)
	return kyc.DeliveredSignal, nil
}

// attempt is what becomes of one call: whether Didit carries it out, what the caller gets, and what happens then.
type attempt struct {
	done bool
	err  error
	then didit.Status
}

func newDesk(t *testing.T, truth didit.Status, attempts ...attempt) *desk {
	t.Helper()
	d := &desk{life: newLife(t, patient), runsOfAction: 1}
	d.acts.Operations, d.acts.Runs = d, deskRuns{runs{d.life}, d}
	s := d.didit.add(flow, user, nil, truth)
	d.didit.fault = func(call string) error {
		if call != "update" && call != "updated" {
			return nil
		}
		if call == "update" {
			d.calls++
		}
		a := attempts[min(d.calls, len(attempts))-1]
		if a.done == (call == "update") { // what is done fails afterwards
			return nil
		}
		if a.then != "" {
			s.status = a.then
		}
		return a.err
	}
	return d
}

// act carries out an action to its end.
func (d *desk) act(id string, in kyc.Operation) (result kyc.OperationResult, err error) {
	env := d.newEnv()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: kyc.TaskQueue})
	d.env = env
	if len(d.todo) > 0 {
		d.after(env, d.pauses[0], d.todo[0])
	}
	d.execute(env, workflows.Operation, in)
	d.env, d.now = nil, env.Now()
	require.True(d.t, env.IsWorkflowCompleted())
	if err := env.GetWorkflowError(); err != nil {
		return result, err
	}
	return result, env.GetWorkflowResult(&result)
}

func (d *desk) orders(v kyc.Verb) (kyc.OperationResult, error) {
	return d.act(kyc.OperationID(user, v, action), kyc.Operation{UserID: user, Verb: v, Operator: jo})
}

func TestEveryVerbOnEveryStatus(t *testing.T) {
	for _, verb := range []kyc.Verb{kyc.VerbApprove, kyc.VerbDecline, kyc.VerbResubmit} {
		for _, before := range didit.Statuses() {
			t.Run(string(verb)+" "+string(before), func(t *testing.T) {
				d := newDesk(t, before, attempt{done: true})
				got, err := d.orders(verb)
				want := kyc.OperationResult{UserID: user, SessionID: sessionID(1), Verb: verb, Before: before, After: verb.Status()}
				switch before {
				case verb.Status():
					want.Already = true
					require.Equal(t, want, got)
					require.Zero(t, d.calls+len(d.delivered))
				case approved, declined, inReview, kycExpired, abandoned, resubmitted:
					want.Changed = true
					require.Equal(t, want, got)
					require.Equal(t, 1, d.calls)
					require.Equal(t, []kyc.DiditEvent{{EventID: action, Type: didit.EventStatusUpdated, SessionID: sessionID(1), Status: verb.Status()}}, d.delivered)
					require.Equal(t, jo.String(), string(d.didit.reviews[0].Comment))
				default:
					require.Equal(t, kyc.ErrorTypeRefused, typeOf(err))
					require.ErrorContains(t, err, string(before))
					require.Zero(t, d.calls+len(d.delivered))
				}
			})
		}
	}
}

func TestActionsThatGoWrong(t *testing.T) {
	lost, tooFast, no := errLost, answered(429), answered(400)
	for name, tc := range map[string]struct {
		verb     kyc.Verb
		attempts []attempt
		calls    int
		changed  bool
		refused  string // the error's type
		text     string
	}{
		"done, and the answer lost":                         {kyc.VerbApprove, []attempt{{done: true, err: lost}}, 1, true, "", ""},
		"asked again, and the answer lost":                  {kyc.VerbResubmit, []attempt{{done: true, err: lost}}, 1, true, "", ""},
		"lost on the way":                                   {kyc.VerbApprove, []attempt{{err: lost}, {done: true}}, 2, true, "", ""},
		"lost on the way, then the answer lost":             {kyc.VerbDecline, []attempt{{err: lost}, {done: true, err: lost}}, 2, true, "", ""},
		"too fast":                                          {kyc.VerbApprove, []attempt{{err: tooFast}, {err: tooFast}, {done: true}}, 3, true, "", ""},
		"another reviewer did it while Didit made us wait":  {kyc.VerbApprove, []attempt{{err: tooFast, then: approved}}, 1, false, "", ""},
		"another reviewer did another thing meanwhile":      {kyc.VerbApprove, []attempt{{err: tooFast, then: declined}}, 1, false, kyc.ErrorTypeRefused, "was In Review and is now Declined: another reviewer"},
		"done and lost, and the person is back before":      {kyc.VerbResubmit, []attempt{{done: true, err: lost, then: inReview}}, 1, true, "", ""},
		"done and lost, and a reviewer goes on":             {kyc.VerbResubmit, []attempt{{done: true, err: lost, then: declined}}, 1, true, "", ""},
		"lost on the way, and then another thing":           {kyc.VerbResubmit, []attempt{{err: lost, then: approved}}, 1, false, kyc.ErrorTypeRefused, "another reviewer"},
		"done, and the person is back at once":              {kyc.VerbResubmit, []attempt{{done: true, then: approved}}, 1, true, "", ""},
		"refused, as a reviewer was faster":                 {kyc.VerbApprove, []attempt{{err: no, then: declined}}, 1, false, kyc.ErrorTypeRefused, "another reviewer"},
		"refused, as the same was just done":                {kyc.VerbResubmit, []attempt{{err: no, then: resubmitted}}, 1, false, "", ""},
		"refused by Didit for a reason of its own":          {kyc.VerbResubmit, []attempt{{err: no}}, 1, false, kyc.ErrorTypeRefused, "which is In Review"},
		"refused, as the lost call had been done after all": {kyc.VerbResubmit, []attempt{{err: lost}, {done: true, err: no}}, 2, true, "", ""},
		"the key may not":                                   {kyc.VerbApprove, []attempt{{err: answered(401)}}, 1, false, kyc.ErrorTypeUnauthorized, "DIDIT_API_KEY"},
		"no credit":                                         {kyc.VerbApprove, []attempt{{err: answered(402)}}, 1, false, kyc.ErrorTypeOutOfCredit, "credit"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, inReview, tc.attempts...)
			got, err := d.orders(tc.verb)
			require.Equal(t, tc.calls, d.calls)
			if tc.refused != "" {
				require.Equal(t, tc.refused, typeOf(err))
				require.ErrorContains(t, err, tc.text)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.changed, got.Changed)
			require.Equal(t, !tc.changed, got.Already)
			require.Equal(t, d.newest().status, got.After)
		})
	}
}

func TestALostAnswerWhereReviewsCannotBeRead(t *testing.T) {
	for now, text := range map[didit.Status]string{approved: "may have been carried out", inReview: ""} {
		d := newDesk(t, inReview, attempt{err: errLost, then: now}, attempt{done: true})
		d.failing("reviews", times(9, answered(401))...)
		got, err := d.orders(kyc.VerbResubmit)
		if text == "" {
			require.True(t, got.Changed)
			continue
		}
		require.Equal(t, kyc.ErrorTypeRefused, typeOf(err))
		require.ErrorContains(t, err, text)
	}
}

// An action acts once: reset, or started like another one by hand, it is refused.
func TestARepeatedActionIsRefused(t *testing.T) {
	d := newDesk(t, inReview, attempt{done: true})
	d.runsOfAction = 2
	_, err := d.orders(kyc.VerbApprove)
	require.Equal(t, kyc.ErrorTypeRefused, typeOf(err))
	require.ErrorContains(t, err, "an action runs once")
	require.Zero(t, d.calls)
}

func TestAnActionOnAForeignSessionIsRefused(t *testing.T) {
	for name, change := range map[string]func(*fakeSession, *kyc.Operation){
		"vendor_data": func(s *fakeSession, _ *kyc.Operation) { s.vendor = "another" },
		"metadata":    func(s *fakeSession, in *kyc.Operation) { in.SessionID = s.id },
	} {
		d := newDesk(t, inReview, attempt{done: true})
		in := kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}
		change(d.newest(), &in)
		_, err := d.act(kyc.OperationID(user, kyc.VerbApprove, action), in)
		require.Equal(t, kyc.ErrorTypeRefused, typeOf(err))
		require.ErrorContains(t, err, name)
		require.Zero(t, d.calls)
	}
}

func TestAnActionThatIsStoppedIsNotDone(t *testing.T) {
	d := newDesk(t, inReview, attempt{err: answered(429)})
	d.then(time.Hour, func() { d.env.CancelWorkflow() })
	_, err := d.orders(kyc.VerbApprove)
	var stopped *temporal.CanceledError
	require.ErrorAs(t, err, &stopped)
	require.Empty(t, d.delivered)
}

func TestOperationsThatBreakARule(t *testing.T) {
	right := kyc.OperationID(user, kyc.VerbApprove, action)
	erase := kyc.OperationID(user, kyc.VerbErase, action)
	for name, tc := range map[string]struct {
		id   string
		in   kyc.Operation
		want string
	}{
		"no user":                      {right, kyc.Operation{Verb: kyc.VerbApprove, Operator: jo}, "user_id is empty"},
		"no verb":                      {right, kyc.Operation{UserID: user, Operator: jo}, "want one of [approve decline resubmit erase]"},
		"no actor":                     {right, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: kyc.Operator{Reason: "a:1"}}, "actor: want 1 to 64"},
		"no reason":                    {right, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: kyc.Operator{Actor: "jo"}}, "reason: want 1 to 128"},
		"another workflow id":          {"approve-u1", kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}, "must be kyc-u1~approve- and a new UUID"},
		"another verb's":               {erase, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}, "must be kyc-u1~approve-"},
		"an id without a UUID":         {"kyc-u1~approve-1", kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo}, "a new UUID"},
		"legal holds were not checked": {erase, kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: jo}, "legal_hold_checked: check that there is no legal hold"},
		"an erasure of one session":    {erase, kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: jo, LegalHoldChecked: true, SessionID: sessionID(1)}, "of the whole user"},
		"no session's id":              {right, kyc.Operation{UserID: user, Verb: kyc.VerbApprove, Operator: jo, SessionID: "s1"}, "session_id is not a UUID"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, inReview, attempt{done: true})
			_, err := d.act(tc.id, tc.in)
			require.Equal(t, kyc.ErrorTypeInvalidInput, typeOf(err))
			require.ErrorContains(t, err, tc.want)
			require.Zero(t, d.calls)
		})
	}
}
