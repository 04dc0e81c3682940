package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// attributes are the search attributes of the Web UI's list, in their Go form.
type attributes struct {
	status, outcome, sessionID, waitingFor string
	errorType                              string // empty while nothing is wrong
	attempt                                int64
	deadline                               time.Time // zero while the user need not act
}

// publish tells the Web UI how things stand. It costs an event only where something changed, and none for the details.
func (v *verification) publish(ctx workflow.Context) {
	now := v.attributes()
	if changes := v.published.changesTo(now); len(changes) > 0 {
		if err := workflow.UpsertTypedSearchAttributes(ctx, changes...); err != nil {
			workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
		}
	}
	v.published = now
	v.measure(ctx)
	v.describe(ctx)
}

// describe writes the sentence on the workflow's page, which costs no event.
func (v *verification) describe(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, v.details()+v.results.story())
}

// publishedByStarter is what the list says already when the workflow begins; nothing if somebody started it without.
func publishedByStarter(ctx workflow.Context) attributes {
	waitingFor, _ := workflow.GetTypedSearchAttributes(ctx).GetKeyword(temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor))
	return attributes{waitingFor: waitingFor}
}

func (v *verification) attributes() attributes {
	s := v.record.state
	a := attributes{
		status: string(s.Status), outcome: string(s.Outcome), sessionID: s.SessionID,
		waitingFor: string(v.waitingFor()), attempt: int64(s.Attempt), errorType: v.errorType(),
	}
	if v.record.userMustAct() {
		a.deadline = v.deadline()
	}
	return a
}

// errorType is what keeps the verification, or has ended it. A result that was not delivered is told at the end, together
// with what changes then anyway: runs of older code said nothing in between.
func (v *verification) errorType() string {
	switch {
	case v.silent:
		return kyc.ErrorTypeUnavailable
	case v.record.ended() && v.record.state.ErrorType != "":
		return v.record.state.ErrorType
	case v.record.ended() && len(v.results.pending) == 0:
		return v.results.lost
	}
	return ""
}

// changesTo lists the updates that turn a into b.
func (a attributes) changesTo(b attributes) []temporal.SearchAttributeUpdate {
	var changes []temporal.SearchAttributeUpdate
	for _, k := range []struct{ name, from, to string }{
		{kyc.AttributeStatus, a.status, b.status},
		{kyc.AttributeOutcome, a.outcome, b.outcome},
		{kyc.AttributeSessionID, a.sessionID, b.sessionID},
		{kyc.AttributeWaitingFor, a.waitingFor, b.waitingFor},
	} {
		if k.from != k.to {
			changes = append(changes, temporal.NewSearchAttributeKeyKeyword(k.name).ValueSet(k.to))
		}
	}
	if a.attempt != b.attempt {
		changes = append(changes, temporal.NewSearchAttributeKeyInt64(kyc.AttributeAttempt).ValueSet(b.attempt))
	}
	if a.errorType != b.errorType {
		changes = append(changes, errorTypeIs(b.errorType))
	}
	deadline := temporal.NewSearchAttributeKeyTime(kyc.AttributeDeadline)
	switch {
	case a.deadline.Equal(b.deadline):
	case b.deadline.IsZero():
		changes = append(changes, deadline.ValueUnset())
	default:
		changes = append(changes, deadline.ValueSet(b.deadline))
	}
	return changes
}

// errorTypeIs takes an empty one away, so that the lists of what is wrong can ask for IS NOT NULL.
func errorTypeIs(kind string) temporal.SearchAttributeUpdate {
	key := temporal.NewSearchAttributeKeyKeyword(kyc.AttributeErrorType)
	if kind == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(kind)
}

func (v *verification) waitingFor() kyc.WaitingFor {
	switch {
	case v.record.ended() && len(v.results.pending) > 0:
		return kyc.WaitingForCallback
	case v.record.ended():
		return ""
	case v.busy != "":
		return v.busy
	case v.record.trouble:
		return kyc.WaitingForOperator
	case v.record.state.Status == didit.StatusInReview:
		return kyc.WaitingForReview
	case v.record.userMustAct():
		return kyc.WaitingForUser
	}
	return kyc.WaitingForDidit
}

// details is the sentence on the workflow's page: how it stands, and what happens next.
func (v *verification) details() string {
	s := v.record.state
	switch {
	case v.cancelledBy != nil:
		return v.cancelling()
	case v.record.ended():
		return ending(s)
	}
	switch v.waitingFor() {
	case kyc.WaitingForLimit:
		return "Waiting for Didit to make the session. Next: the user's turn under Didit's rate limit, then the link."
	case kyc.WaitingForReview:
		late := ""
		if v.late {
			late = "**This review is late**: ask in Didit's console. "
		}
		return fmt.Sprintf("%s**In review** at Didit since %s. Next: a reviewer approves, declines or asks the user again. A review has "+
			"no deadline here.", late, when(s.UpdatedAt))
	case kyc.WaitingForOperator:
		return "**Needs a look**: Didit's decision is gone, or not about this user, flow or environment; the worker's log says which. " +
			"Next: another look at " + when(v.wake()) + "."
	case kyc.WaitingForUser:
		return fmt.Sprintf("**%s**: waiting for the user at Didit's page, attempt %d. Next: Didit's webhook, a look at Didit at %s, or the end of the user's time at %s.",
			s.Status, s.Attempt, when(v.looks.next), when(v.deadline()))
	}
	if v.silent {
		return "**Didit does not answer**, so there is no session yet. Next: it is asked again by itself until it does; nobody is charged twice."
	}
	return fmt.Sprintf("**%s**: reading Didit's decision. Next: the verdict, if Didit confirms it.", s.Status)
}

func when(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func ending(s kyc.State) string {
	switch s.Outcome {
	case kyc.OutcomeApproved, kyc.OutcomeDeclined:
		return fmt.Sprintf("**%s** by Didit's decision on session %s. Nothing more to do.", s.Status, s.SessionID)
	case kyc.OutcomeExpired:
		return "**Expired**: the user never opened the link. Next: start the user again when they come back."
	case kyc.OutcomeAbandoned:
		return "**Abandoned**: the user did not finish in time. Next: start the user again when they come back."
	case kyc.OutcomeLapsed:
		return "**Lapsed**: approved once, the document has expired since. Next: verify the user again."
	case kyc.OutcomeFailed:
		return fmt.Sprintf("**Failed**, no session: %s. Next: %s.", s.ErrorType, kyc.Hint(s.ErrorType))
	}
	if s.ErrorType == kyc.ErrorTypeNotFound {
		return "**Cancelled**: Didit has deleted the session. Next: start the user again when they come back."
	}
	return fmt.Sprintf("Ended: **%s**.", s.Outcome)
}
