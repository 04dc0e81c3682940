package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
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
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) {
		err = v.refuseSession(ctx, refused.Type())
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
	if made.Continued {
		if _, err := v.recall(ctx); err != nil {
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
	if outcomeOf(s.Status) == "" { // what is undecided was not reported as decided
		v.results.ended = v.results.last.Outcome != ""
	}
	v.polls = newSchedule(p, now)
}

// adopt follows a session that Didit has already, with its decision. It does not report again what was reported about it
// before.
func (v *verification) adopt(ctx workflow.Context, d activities.Decision, p activities.SessionPolicy) error {
	before, err := v.recall(ctx)
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

// recall asks Temporal once for the last state of the user's earlier runs, unless this run has reported something itself.
func (v *verification) recall(ctx workflow.Context) (activities.Predecessor, error) {
	if v.results.recalled || v.results.sequence > 0 {
		return activities.Predecessor{}, nil
	}
	var before activities.Predecessor
	err := call(ctx, callOptions(kyc.TaskQueue, "What did the user's earlier runs report?", firstPriority), acts.FindPredecessor,
		activities.UserInput{UserID: v.in.UserID}, &before)
	if err == nil {
		v.results.continueFrom(before)
	}
	return before, err
}

// maxChoices bounds how many sessions of a user choose reads: far beyond any cap.
const maxChoices = 20

// choose returns the decision on the session that counts among those that Didit lists, newest first: the newest of ours,
// unless an older one outranks it. A session that was made beside an earlier verdict replaces all that are older. It is nil
// where none is ours. lagging is set if a decision does not show yet the status of the list, or of an event.
func (v *verification) choose(
	ctx workflow.Context, sessions []activities.UserSession, flow string, mine func(kyc.SessionMetadata) bool, final ...string,
) (found *activities.Decision, lagging bool, err error) {
	options := callOptions(kyc.TaskQueueDiditRead, "Is this the session that counts?", v.in.Priority.Key(), append(final, kyc.ErrorTypeNotFound)...)
	for _, s := range sessions[:min(len(sessions), maxChoices)] {
		if found != nil && (finished(found.Status) || found.Metadata.Reverify) {
			break
		}
		var d activities.Decision
		err := call(ctx, options, acts.ReadDecision, activities.ReadDecisionInput{
			SessionID: s.SessionID, UserID: v.in.UserID, WorkflowID: flow, Ours: s.SessionID != v.state.SessionID, Link: true,
		}, &d)
		var app *temporal.ApplicationError
		switch {
		case errors.As(err, &app) && app.Type() == kyc.ErrorTypeNotFound: // deleted meanwhile
			continue
		case err != nil:
			return nil, lagging, err
		case len(d.Foreign) > 0, !d.Status.Known(), !mine(d.Metadata):
			continue
		}
		lagging = lagging || ahead(s.Status, d.Status) || ahead(v.siblings.expected[s.SessionID], d.Status)
		flow = d.WorkflowID // sessions of other flows do not count
		switch {
		case found == nil || outranks(d.Status, found.Status):
			d.Metadata.Reverify = d.Metadata.Reverify || found != nil && found.Metadata.Reverify
			found = &d
		case d.Metadata.Reverify:
			return found, lagging, nil
		}
	}
	return found, lagging, nil
}

// reselectSession lists the user's sessions at Didit, and continues with the one that counts. It retries until Didit answers:
// with a key that is fixed later it must find the verdict.
func (v *verification) reselectSession(ctx workflow.Context) error {
	v.siblings.reselect = false
	list, err := v.listSessions(ctx)
	if err != nil {
		return err
	}
	found, lagging, err := v.choose(ctx, list.Sessions, v.state.WorkflowID, func(kyc.SessionMetadata) bool { return true })
	if v.siblings.lag.again(lagging, v.timers.now(ctx)); v.siblings.lag.next.IsZero() {
		v.siblings.expected = map[string]didit.Status{} // Didit shows them now, or never will
	}
	switch {
	case err != nil:
		return err
	case found == nil:
		return nil
	case v.state.Outcome == kyc.OutcomeCancelled && !outcomeOf(found.Status).Decided():
		return nil
	case found.Session.SessionID == v.state.SessionID:
		if found.Status != v.state.Status { // else an end that only this workflow knows, such as a missed deadline, stays
			v.state.applyDecision(*found, workflow.Now(ctx))
		}
		return nil
	}
	left := v.state.State
	if err := v.adopt(ctx, *found, list.Policy); err != nil {
		return err
	}
	return v.deleteUnopened(ctx, left, list.Sessions)
}

// deleteUnopened deletes the newer session, which the person no longer needs, if it was never opened.
func (v *verification) deleteUnopened(ctx workflow.Context, left kyc.State, sessions []activities.UserSession) error {
	for _, s := range sessions {
		if s.SessionID == left.SessionID && s.Status == didit.StatusNotStarted {
			if err := v.deleteSession(ctx, left.SessionID); ctx.Err() != nil {
				return err
			} else if err != nil {
				workflow.GetLogger(ctx).Warn("the session that was never opened is left at Didit", "session_id", left.SessionID, "error", err)
			}
		}
	}
	return nil
}

func (v *verification) deleteSession(ctx workflow.Context, id string) error {
	return call(ctx, callOptions(kyc.TaskQueueDiditWrite, "Delete the session that was never opened", firstPriority, refusals()...),
		acts.DeleteSession, activities.DeleteSessionInput{SessionID: id}, nil)
}

func (v *verification) listSessions(ctx workflow.Context, final ...string) (list activities.UserSessions, err error) {
	options := callOptions(kyc.TaskQueueDiditRead, "List the user's sessions at Didit", v.in.Priority.Key(), final...)
	err = call(ctx, options, acts.ListSessions, activities.UserInput{UserID: v.in.UserID}, &list)
	return list, err
}
