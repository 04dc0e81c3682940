package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// Temporal deletes when its queues have come so far, and webhooks may be on their way: so an erasure looks again, after
// rests that grow.
const (
	firstRest   = 2 * time.Second
	longestRest = time.Minute
	// mostLooks and mostRounds are when somebody should find out why there is always more: thirty looks take half an hour.
	mostLooks  = 30
	mostRounds = 10
	// endPatience is how long the open verification may take to end. Then it is terminated.
	endPatience = 10 * time.Minute
)

// erase makes Didit and Temporal forget a user. It goes round until a round finds nothing: the user may be started
// again, or a webhook may arrive, while it works. Its own run stays, as the record of the erasure.
func erase(ctx workflow.Context, in kyc.Operation) (kyc.OperationResult, error) {
	e := &erasure{in: in, gone: map[string]bool{}, deleted: map[string]bool{}, held: map[string]bool{}}
	err := e.run(ctx)
	if err == nil && len(e.kept) > 0 {
		err = temporal.NewNonRetryableApplicationError(fmt.Sprintf("%v are kept: %s. All else is done: %s",
			e.kept, kyc.Hint(kyc.ErrorTypeLegalHold), e.erased), kyc.ErrorTypeLegalHold, nil)
	}
	result := kyc.OperationResult{UserID: in.UserID, Verb: in.Verb, Erased: &e.erased}
	result.Changed = e.erased.Ended || e.erased.Sessions+e.erased.Users+e.erased.Runs > 0
	result.Already = !result.Changed
	e.publish(ctx, result, err)
	return result, err
}

// erasure is an erasure that is carried out.
type erasure struct {
	in      kyc.Operation
	erased  kyc.Erased
	gone    map[string]bool // sessions that were deleted
	deleted map[string]bool // runs that were
	held    map[string]bool // sessions that Didit keeps
	kept    []string        // the same, in order
}

func (e *erasure) run(ctx workflow.Context) error {
	for round := 1; ; round++ {
		more, err := e.round(ctx)
		if err != nil || !more {
			return err
		}
		if round == mostRounds {
			return refuse("there is always more of user %s: who starts the user again and again? Until now %s", e.in.UserID, e.erased)
		}
	}
}

// round deletes all that it finds, and reports whether it found something. Nothing in Temporal is deleted before Didit has
// forgotten the user: an erasure that fails leaves behind what the next one needs.
func (e *erasure) round(ctx workflow.Context) (more bool, err error) {
	ended, err := e.endVerification(ctx)
	if err != nil {
		return false, err
	}
	sessions, err := e.eraseSessions(ctx)
	if err != nil {
		return false, err
	}
	runs, err := e.forgetRuns(ctx)
	return ended || sessions || runs, err
}

// forgetRuns deletes the user's workflows and waits until they are gone, or until the user is started again. It reports
// whether there were any.
func (e *erasure) forgetRuns(ctx workflow.Context) (found bool, err error) {
	for look, rest := 1, firstRest; ; look, rest = look+1, min(2*rest, longestRest) {
		e.tell(ctx, "deleting the user's workflows, which Temporal does in its own time")
		var runs kyc.DeletedRuns
		err := call(ctx, callOptions(kyc.TaskQueue, "Delete what Temporal has of the user", firstPriority), acts.ForgetRuns,
			activities.UserInput{UserID: e.in.UserID}, &runs)
		if err != nil || runs.Left == 0 {
			return found, err
		}
		found = true
		for _, id := range runs.Deleting {
			if !e.deleted[id] {
				e.deleted[id] = true
				e.erased.Runs++
			}
		}
		if runs.Open {
			return found, nil
		}
		if look == mostLooks {
			return found, refuse("Didit has forgotten user %s, but Temporal still lists %d workflows: erase again later. Until now %s",
				e.in.UserID, runs.Left, e.erased)
		}
		if err := e.rest(ctx, rest, "Then see whether Temporal has deleted all"); err != nil {
			return found, err
		}
	}
}

// endVerification ends the open verification, so that no session is made any more. It reports whether there was one.
func (e *erasure) endVerification(ctx workflow.Context) (found bool, err error) {
	began := workflow.Now(ctx)
	for rest := time.Second; ; rest = min(2*rest, longestRest) {
		e.tell(ctx, "ending the open verification, if there is one")
		options := callOptions(kyc.TaskQueue, "End the open verification as erased", firstPriority)
		options.RetryPolicy.MaximumAttempts = 1
		var now kyc.EndedVerification
		err := call(ctx, options, acts.EndVerification, activities.EndVerificationInput{
			UserID: e.in.UserID, Operator: e.in.Operator, Terminate: workflow.Now(ctx).Sub(began) >= endPatience,
		}, &now)
		switch {
		case temporal.IsCanceledError(err):
			return found, err
		case err != nil: // of no account: it is asked again
			workflow.GetLogger(ctx).Warn("the verification cannot be ended yet", "error", err)
		case !now.Open:
			return found, e.settle(ctx, now.Stopped)
		default:
			found, e.erased.Ended = true, true
		}
		if err := e.rest(ctx, rest, "Then see whether the verification has ended"); err != nil {
			return found, err
		}
	}
}

// settle waits until a create that was under way when its verification was stopped has come to its end.
func (e *erasure) settle(ctx workflow.Context, stopped time.Time) error {
	if wait := stopped.Add(settleTime).Sub(workflow.Now(ctx)); !stopped.IsZero() && wait > 0 {
		return e.rest(ctx, wait, "Give Didit time to finish what the stopped verification may have asked for")
	}
	return nil
}

// eraseSessions erases the user's sessions at Didit, then the user. A session that Didit keeps does not keep the others.
func (e *erasure) eraseSessions(ctx workflow.Context) (found bool, err error) {
	e.tell(ctx, "erasing at Didit")
	var all activities.ErasableSessions
	list := callOptions(kyc.TaskQueueDiditRead, "List all sessions of the user at Didit", firstPriority, refusals()...)
	if err := call(ctx, list, acts.ListAllSessions, activities.UserInput{UserID: e.in.UserID}, &all); err != nil {
		return false, err
	}
	for _, id := range all.SessionIDs {
		if e.held[id] {
			continue
		}
		found = true
		options := callOptions(kyc.TaskQueueDiditWrite, "Erase a session at Didit", firstPriority, append(refusals(), kyc.ErrorTypeLegalHold)...)
		err := call(ctx, options, acts.EraseSession, activities.DeleteSessionInput{SessionID: id}, nil)
		var app *temporal.ApplicationError
		switch {
		case errors.As(err, &app) && app.Type() == kyc.ErrorTypeLegalHold:
			e.held[id], e.kept = true, append(e.kept, id)
		case err != nil:
			return found, err
		case !e.gone[id]:
			e.gone[id] = true
			e.erased.Sessions++
		}
	}
	e.erased.UserKept = all.Others > 0
	if e.erased.UserKept || len(e.kept) > 0 {
		return found, nil
	}
	var users activities.ErasedUsers
	options := callOptions(kyc.TaskQueueDiditWrite, "Erase the user at Didit", firstPriority, refusals()...)
	err = call(ctx, options, acts.EraseUser, activities.UserInput{UserID: e.in.UserID}, &users)
	e.erased.Users = max(e.erased.Users, users.Users)
	return found, err
}

func (e *erasure) rest(ctx workflow.Context, d time.Duration, why string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: why}).Get(ctx, nil)
}

func (e *erasure) tell(ctx workflow.Context, what string) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**Erasing**, asked by %s: %s. So far %s.", e.in.Operator, what, e.erased))
}

// publish makes the record of the erasure searchable and tells it on its page.
func (e *erasure) publish(ctx workflow.Context, r kyc.OperationResult, err error) {
	text := fmt.Sprintf("**Done** by %s: %s.", e.in.Operator, e.erased)
	switch {
	case err != nil:
		text = fmt.Sprintf("**Not done**, asked by %s: %s.", e.in.Operator, err)
	case r.Already:
		text = fmt.Sprintf("**Nothing was left** of the user; asked by %s.", e.in.Operator)
	}
	workflow.SetCurrentDetails(ctx, text)
	if err != nil {
		return
	}
	err = workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeOutcome).ValueSet(string(kyc.OutcomeErased)))
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}
