package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// DecisionChange takes one event about a session whose verification is over: a reviewer changed his mind, a document
// expired. It reads Didit's decision, and if that is not what was reported of the session last, or nobody remembers what
// was, its result is the user's newest verdict. Its id is kyc.ChangeID of the user and the event, so that a repeat of
// the event starts nothing.
func DecisionChange(ctx workflow.Context, in kyc.Change) (kyc.ChangeResult, error) {
	if err := kyc.ValidateUserID(in.UserID); err != nil {
		return kyc.ChangeResult{}, temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
	}
	var r kyc.ChangeResult // zero until it is known
	err := workflow.SetQueryHandlerWithOptions(ctx, kyc.QueryState, func() (kyc.ChangeResult, error) { return r, nil },
		workflow.QueryHandlerOptions{Description: "What has changed, while the receiver of results is told."})
	if err != nil {
		return kyc.ChangeResult{}, err
	}
	asked := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueue, "What was reported of this session last?", firstTurn))
	var last activities.LastReport
	if err := workflow.ExecuteActivity(asked, acts.FindLastReport, in).Get(ctx, &last); err != nil {
		return kyc.ChangeResult{}, err
	}
	if last.Open { // the session lives on in a run, perhaps a newer one, that may make way for the user's next at any moment
		var forwarded bool
		sent := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueue, "Hand the event to the open verification", firstTurn))
		err := workflow.ExecuteActivity(sent, acts.ForwardEvent, activities.ForwardEventInput{Change: in, RunID: last.RunID}).Get(ctx, &forwarded)
		if err != nil || forwarded {
			return kyc.ChangeResult{State: last.State}, err
		}
	}
	read := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueueDiditRead, "Read Didit's decision", firstTurn, kyc.ErrorTypeNotFound))
	var d activities.Decision
	err = workflow.ExecuteActivity(read, acts.ReadDecision, activities.ReadDecisionInput{
		SessionID: in.Event.SessionID, UserID: in.UserID,
	}).Get(ctx, &d)
	if err != nil {
		return kyc.ChangeResult{}, vanished(ctx, in, last, err)
	}
	if r = change(in, last.State, d, workflow.Now(ctx)); givenUp(ctx, last.State, r) {
		r = kyc.ChangeResult{State: last.State}
	}
	publishChange(ctx, r)
	measureChange(ctx, r)
	if r.Changed && last.Results {
		reportChange(ctx, r.State)
	}
	return r, nil
}

// reportChange tells the receiver of results, and waits until it has been told or given up.
func reportChange(ctx workflow.Context, s kyc.State) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	in := activities.SendResultInput{Type: kyc.ResultChanged, Sequence: 1, Timestamp: workflow.Now(ctx), State: s}
	tellWaiting(ctx, kyc.WaitingForCallback)
	lost := undelivered(ctx, startSending(ctx, in), in)
	if lost != "" {
		workflow.SetCurrentDetails(ctx, "**Changed** after the end: Didit now says **"+string(s.Status)+"**. The receiver of results was **not told**.")
	}
	tellDelivered(ctx, lost)
}

// publishChange makes the change searchable, and found by kyc.Client.State: only a real one names its session.
func publishChange(ctx workflow.Context, r kyc.ChangeResult) {
	if !r.Changed {
		workflow.SetCurrentDetails(ctx, "Nothing new: Didit's decision is what was reported before, or not about this user.")
		return
	}
	workflow.SetCurrentDetails(ctx, "**Changed** after the end: Didit now says **"+string(r.State.Status)+"**.")
	err := workflow.UpsertTypedSearchAttributes(ctx,
		temporal.NewSearchAttributeKeyKeyword(kyc.AttributeStatus).ValueSet(string(r.State.Status)),
		temporal.NewSearchAttributeKeyKeyword(kyc.AttributeOutcome).ValueSet(string(r.State.Outcome)),
		temporal.NewSearchAttributeKeyKeyword(kyc.AttributeSessionID).ValueSet(r.State.SessionID),
	)
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}

// givenUp reports whether a change is only that a session goes on whose verification was cancelled: nobody follows that
// any more, so it is no news before Didit has come to an end. The version keeps runs of older code on their path.
func givenUp(ctx workflow.Context, last kyc.State, r kyc.ChangeResult) bool {
	return r.Changed && r.State.Outcome == "" && last.Outcome == kyc.OutcomeCancelled &&
		workflow.GetVersion(ctx, "cancelled-until-an-outcome", workflow.DefaultVersion, 1) == 1
}

// knownStatus reports whether a decision says anything about our user.
func knownStatus(d activities.Decision) bool {
	return len(d.Foreign) == 0 && d.Status.Known() && d.Status != didit.StatusNotStarted
}
