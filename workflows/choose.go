package workflows

import (
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

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
		d, err := call(ctx, options, acts.ReadDecision, activities.ReadDecisionInput{
			SessionID: s.SessionID, UserID: v.in.UserID, WorkflowID: flow, Ours: s.SessionID != v.state.SessionID, Link: true,
		})
		switch {
		case failureType(err) == kyc.ErrorTypeNotFound: // deleted meanwhile
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
	return perform(ctx, callOptions(kyc.TaskQueueDiditWrite, "Delete the session that was never opened", firstPriority, refusals()...),
		acts.DeleteSession, activities.DeleteSessionInput{SessionID: id})
}

func (v *verification) listSessions(ctx workflow.Context, final ...string) (activities.UserSessions, error) {
	options := callOptions(kyc.TaskQueueDiditRead, "List the user's sessions at Didit", v.in.Priority.Key(), final...)
	return call(ctx, options, acts.ListSessions, activities.UserInput{UserID: v.in.UserID})
}
