package workflows

import (
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// getSession gets the session that was requested: one that Didit has already, or a new one. A final refusal by Didit ends the
// verification as failed, unless the user has a verdict, which stays.
func (v *verification) getSession(ctx workflow.Context) error {
	v.creation.number++
	v.creation.waitingFor, v.creation.refusal = kyc.WaitingForLimit, ""
	v.publish(ctx)
	err := v.findOrCreate(ctx, *v.creation.request)
	v.creation.waitingFor = ""
	if refusal := failureType(err); refusal != "" {
		err = v.refuseSession(ctx, refusal)
	}
	if err == nil {
		v.creation.request = nil
	}
	return err
}

// refuseSession records why there is no session. A verdict of an earlier session stays.
func (v *verification) refuseSession(ctx workflow.Context, kind string) error {
	v.creation.refusal = kind
	if v.state.SessionID == "" && v.in.Reverify {
		before, err := v.recall(ctx)
		if err != nil {
			return err
		}
		if before.State.Outcome.Decided() {
			v.state.State, v.state.confirmed, v.policy = before.State, true, before.Policy
		}
	}
	if !v.state.Outcome.Decided() {
		v.state.end(kyc.OutcomeFailed, kind, workflow.Now(ctx))
	}
	return nil
}

// findOrCreate creates a session unless Didit has sessions of the user. It reads those first: one may be the user's.
func (v *verification) findOrCreate(ctx workflow.Context, in kyc.Input) error {
	if in.WorkflowID == "" { // of a user who comes back
		in.WorkflowID = v.state.WorkflowID
	}
	input := activities.CreateSessionInput{
		UserID: in.UserID, WorkflowID: in.WorkflowID, Language: in.Language, ReturnURL: in.ReturnURL,
		RunID: originalRun(ctx), Attempt: v.creation.number, Reverify: in.Reverify, Since: workflow.Now(ctx),
	}
	for reads := 0; ; {
		made, err := v.createSession(ctx, in, input)
		if err != nil {
			return err
		}
		if len(made.Others) == 0 {
			return v.useMade(ctx, made)
		}
		found, lagging, err := v.choose(ctx, made.Others, in.WorkflowID, v.mayAdopt(input), refusals()...)
		if err != nil {
			return err
		}
		v.siblings.exist = v.siblings.exist || len(made.Others) > 1
		if found != nil && (in.Reverify || keepsFromBuying(found.Status)) {
			v.siblings.lag.again(lagging, v.timers.now(ctx))
			return v.adopt(ctx, *found, made.Policy)
		}
		if lagging && reads < len(lagBackoff) {
			if err := workflow.Sleep(ctx, lagBackoff[reads]); err != nil {
				return err
			}
			reads++
			continue
		}
		if found != nil && input.WorkflowID == "" { // the default is the user's flow
			input.WorkflowID = found.WorkflowID
		}
		for _, s := range made.Others {
			input.Known = append(input.Known, s.SessionID)
		}
	}
}

// useMade begins the session that CreateSession made. If Didit continued an older one, earlier runs may have reported it.
func (v *verification) useMade(ctx workflow.Context, made activities.MadeSession) error {
	v.results.ended = v.results.ended && made.Continued
	if made.Continued {
		if _, err := v.recallSession(ctx, made.Session.SessionID); err != nil {
			return err
		}
	}
	v.begin(ctx, made.Session, made.Policy)
	return nil
}

// mayAdopt reports whether a session answers a request: any of ours, but for a session beside an earlier verdict only the
// one that this very request made.
func (v *verification) mayAdopt(in activities.CreateSessionInput) func(kyc.SessionMetadata) bool {
	return func(m kyc.SessionMetadata) bool {
		return !in.Reverify || m.Reverify && m.RunID == in.RunID && m.Attempt == in.Attempt
	}
}

// begin follows a session that was made for the user, with the policy that applies from now on.
func (v *verification) begin(ctx workflow.Context, s kyc.Session, p activities.SessionPolicy) {
	now := workflow.Now(ctx)
	v.siblings.exist = v.siblings.exist || v.state.SessionID != ""
	v.session, v.policy = s, p
	v.state.follow(s, now)
	v.polls = newSchedule(p, now)
}

// adopt follows a session that Didit has already, with its decision. It does not report again what was reported about it
// before.
func (v *verification) adopt(ctx workflow.Context, d activities.Decision, p activities.SessionPolicy) error {
	before, err := v.recallSession(ctx, d.Session.SessionID)
	if err != nil {
		return err
	}
	now := workflow.Now(ctx)
	p.WorkflowID = d.WorkflowID
	if d.Session.SessionID == v.state.SessionID {
		v.session, v.policy, v.state.promptedAt = d.Session, p, now
	} else {
		v.begin(ctx, d.Session, p)
		if before.State.SessionID == d.Session.SessionID {
			v.state.State = before.State
		}
	}
	v.state.applyDecision(d, now)
	return nil
}

// recallSession is recall before this run follows a session that it did not make.
func (v *verification) recallSession(ctx workflow.Context, id string) (activities.Predecessor, error) {
	before, err := v.recall(ctx)
	if err == nil {
		v.results.adopt(id)
	}
	return before, err
}

// recall asks Temporal once for the last state of the user's earlier runs, unless this run has reported something itself.
func (v *verification) recall(ctx workflow.Context) (activities.Predecessor, error) {
	if v.results.recalled || v.results.sequence > 0 {
		return activities.Predecessor{}, nil
	}
	before, err := call(ctx, callOptions(kyc.TaskQueue, "What did the user's earlier runs report?", firstPriority), acts.FindPredecessor,
		activities.UserInput{UserID: v.in.UserID})
	if err == nil {
		v.results.continueFrom(before)
	}
	return before, err
}
