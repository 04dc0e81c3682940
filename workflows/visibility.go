package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// keywords are the search attributes that are text. The empty text of AttributeErrorType is unset, so that a list of what is
// wrong can query IS NOT NULL.
var keywords = [...]string{
	kyc.AttributeStatus, kyc.AttributeOutcome, kyc.AttributeSessionID, kyc.AttributeFlow, kyc.AttributeWaitingFor, kyc.AttributeErrorType,
}

// attributes are the search attributes of the Web UI's list, in their Go form.
type attributes struct {
	texts    [len(keywords)]string // of keywords, in their order
	attempt  int64
	deadline time.Time // zero while the user need not act
}

// publish updates the Web UI. It costs an event only where an attribute changed; the details cost none.
func (v *verification) publish(ctx workflow.Context) {
	now := v.attributes()
	search(ctx, v.published.changesTo(now)...)
	v.published = now
	v.measure(ctx)
	v.describe(ctx)
}

func search(ctx workflow.Context, changes ...temporal.SearchAttributeUpdate) {
	if len(changes) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, changes...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}

// describe sets the current details on the workflow's page, which costs no event.
func (v *verification) describe(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, v.details(workflow.Now(ctx))+v.results.summary())
}

// publishedBefore are the attributes at the start of the workflow: those of its starter, or, if it was started by hand like
// another one, all attributes of that one.
func publishedBefore(ctx workflow.Context) attributes {
	set := workflow.GetTypedSearchAttributes(ctx)
	var a attributes
	for i, name := range keywords {
		a.texts[i], _ = set.GetKeyword(temporal.NewSearchAttributeKeyKeyword(name))
	}
	a.attempt, _ = set.GetInt64(temporal.NewSearchAttributeKeyInt64(kyc.AttributeAttempt))
	a.deadline, _ = set.GetTime(temporal.NewSearchAttributeKeyTime(kyc.AttributeDeadline))
	return a
}

func (v *verification) attributes() attributes {
	s := v.state
	a := attributes{
		texts:   [...]string{string(s.Status), string(s.Outcome), s.SessionID, s.WorkflowID, string(v.waitingFor()), v.errorType()},
		attempt: int64(s.Attempt),
	}
	if s.PersonMustAct() {
		a.deadline = v.deadline()
	}
	return a
}

// errorType is what delays the verification, or has ended it.
func (v *verification) errorType() string {
	switch {
	case v.creation.waitingFor == kyc.WaitingForDidit:
		return kyc.ErrorTypeUnavailable
	case v.state.ended() && v.state.ErrorType != "":
		return v.state.ErrorType
	case v.state.ended() && len(v.results.pending) == 0:
		return v.results.lost
	}
	return ""
}

// changesTo lists the updates that turn a into b.
func (a attributes) changesTo(b attributes) []temporal.SearchAttributeUpdate {
	var changes []temporal.SearchAttributeUpdate
	for i, name := range keywords {
		key := temporal.NewSearchAttributeKeyKeyword(name)
		switch to := b.texts[i]; {
		case to == a.texts[i]:
		case to == "" && name == kyc.AttributeErrorType:
			changes = append(changes, key.ValueUnset())
		default:
			changes = append(changes, key.ValueSet(to))
		}
	}
	if a.attempt != b.attempt {
		changes = append(changes, temporal.NewSearchAttributeKeyInt64(kyc.AttributeAttempt).ValueSet(b.attempt))
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

func (v *verification) waitingFor() kyc.WaitingFor {
	switch {
	case v.creation.waitingFor != "":
		return v.creation.waitingFor
	case v.state.ended() && len(v.results.pending) > 0:
		return kyc.WaitingForCallback
	case v.state.ended(), v.state.SessionID == "" && v.in.Resume && !v.siblings.reselect:
		return ""
	case v.state.decisionUnusable:
		return kyc.WaitingForOperator
	case v.state.Status == didit.StatusInReview:
		return kyc.WaitingForReview
	case v.state.PersonMustAct():
		return kyc.WaitingForUser
	}
	return kyc.WaitingForDidit
}

// details is the text on the workflow's page: the state, and what happens next.
func (v *verification) details(now time.Time) string {
	s := v.state
	switch {
	case v.operators.end != nil:
		return v.cancelling()
	case v.creation.waitingFor == "" && s.ended():
		return ending(s.State)
	}
	switch v.waitingFor() {
	case kyc.WaitingForLimit:
		return "Waiting for Didit to make the session. Next: the link, when Didit's rate limit allows."
	case kyc.WaitingForReview:
		late := ""
		if s.reviewLate(now) {
			late = "**This review is late**: ask in Didit's console. "
		}
		return fmt.Sprintf("%s**In review** at Didit since %s. Next: a reviewer approves, declines or asks the user again. A review has "+
			"no deadline here.", late, when(s.UpdatedAt))
	case kyc.WaitingForOperator:
		next, _ := v.wake()
		return "**Needs an operator**: Didit's decision is gone, or not about this user, flow or environment; see the worker's log. " +
			"Next: another poll at " + when(next) + "."
	case kyc.WaitingForUser:
		return fmt.Sprintf("**%s**: waiting for the user at Didit's page, attempt %d. Next: Didit's webhook, a poll of Didit at %s, or the end of the user's time at %s.",
			s.Status, s.Attempt, when(v.polls.next), when(v.deadline()))
	}
	if v.creation.waitingFor == kyc.WaitingForDidit {
		return "**Didit does not answer**, so there is no session yet. Next: retries until it does, without a second charge."
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
