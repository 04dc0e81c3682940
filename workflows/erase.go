package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// Temporal deletes with a delay, and webhooks may be in flight: so an erasure checks again, with a growing backoff.
const (
	firstEraseBackoff = 2 * time.Second
	maxEraseBackoff   = time.Minute
	// After maxDeleteChecks, half an hour, or maxRounds an operator should find out why there is always more.
	maxDeleteChecks = 30
	maxRounds       = 10
	// endTimeout is how long the open verification may take to end. Then the erasure terminates it.
	endTimeout = 10 * time.Minute
)

// erase deletes a user's data at Didit and in Temporal. It repeats its steps until they find nothing: the user may be
// started again, or a webhook may arrive, meanwhile. Its own run stays, as the record of the erasure.
func erase(ctx workflow.Context, in kyc.Operation) (kyc.OperationResult, error) {
	e := &erasure{in: in, done: map[string]bool{}}
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

// erasure is the state of an erasure.
type erasure struct {
	in     kyc.Operation
	erased kyc.Erased
	done   map[string]bool // ids of sessions and runs that were deleted, and of sessions that Didit keeps
	kept   []string        // the sessions that Didit keeps
}

func (e *erasure) run(ctx workflow.Context) error {
	for round := 1; ; round++ {
		more, err := e.round(ctx)
		if err != nil || !more {
			return err
		}
		if round == maxRounds {
			return refuse("each pass finds new data of user %s: stop what starts the user again, then erase again. So far %s", e.in.UserID, e.erased)
		}
	}
}

// round deletes all that it finds, and reports whether it found something. It deletes at Didit before it deletes in Temporal:
// an erasure that fails leaves what the next one needs.
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
	for checks, backoff := 1, firstEraseBackoff; ; checks, backoff = checks+1, min(2*backoff, maxEraseBackoff) {
		e.describe(ctx, "deleting the user's workflows, which Temporal does with a delay")
		runs, err := call(ctx, callOptions(kyc.TaskQueue, "Delete what Temporal has of the user", firstPriority), acts.ForgetRuns,
			activities.UserInput{UserID: e.in.UserID})
		if err != nil || runs.Left == 0 {
			return found, err
		}
		found = true
		for _, id := range runs.Deleting {
			if !e.done[id] {
				e.done[id] = true
				e.erased.Runs++
			}
		}
		if runs.Open {
			return found, nil
		}
		if checks == maxDeleteChecks {
			return found, refuse("user %s is erased at Didit, but Temporal still lists %d workflows: erase again later. So far %s",
				e.in.UserID, runs.Left, e.erased)
		}
		if err := pause(ctx, backoff, "Then check whether Temporal has deleted all"); err != nil {
			return found, err
		}
	}
}

// endVerification ends the open verification, so that it makes no more sessions. It reports whether there was one.
func (e *erasure) endVerification(ctx workflow.Context) (found bool, err error) {
	began := workflow.Now(ctx)
	for backoff := time.Second; ; backoff = min(2*backoff, maxEraseBackoff) {
		e.describe(ctx, "ending the open verification, if there is one")
		options := callOptions(kyc.TaskQueue, "End the open verification as erased", firstPriority)
		options.RetryPolicy.MaximumAttempts = 1
		now, err := call(ctx, options, acts.EndVerification, activities.EndVerificationInput{
			UserID: e.in.UserID, Operator: e.in.Operator, Terminate: workflow.Now(ctx).Sub(began) >= endTimeout,
		})
		switch {
		case temporal.IsCanceledError(err):
			return found, err
		case err != nil: // retried below
			workflow.GetLogger(ctx).Warn("the verification cannot be ended yet", "error", err)
		case !now.Open:
			return found, e.waitForInFlightCreate(ctx, now.Stopped)
		default:
			found, e.erased.Ended = true, true
		}
		if err := pause(ctx, backoff, "Then check whether the verification has ended"); err != nil {
			return found, err
		}
	}
}

// waitForInFlightCreate waits for a create that was in flight when its verification was stopped.
func (e *erasure) waitForInFlightCreate(ctx workflow.Context, stopped time.Time) error {
	if wait := stopped.Add(inFlightTime).Sub(workflow.Now(ctx)); !stopped.IsZero() && wait > 0 {
		return pause(ctx, wait, "Give Didit time to finish a create of the stopped verification")
	}
	return nil
}

// eraseSessions erases the user's sessions at Didit, then the user. A session that Didit keeps does not keep the others.
func (e *erasure) eraseSessions(ctx workflow.Context) (found bool, err error) {
	e.describe(ctx, "erasing at Didit")
	list := callOptions(kyc.TaskQueueDiditRead, "List all sessions of the user at Didit", firstPriority, refusals()...)
	all, err := call(ctx, list, acts.ListAllSessions, activities.UserInput{UserID: e.in.UserID})
	if err != nil {
		return false, err
	}
	for _, id := range all.SessionIDs {
		if slices.Contains(e.kept, id) {
			continue
		}
		found = true
		options := callOptions(kyc.TaskQueueDiditWrite, "Erase a session at Didit", firstPriority, append(refusals(), kyc.ErrorTypeLegalHold)...)
		err := perform(ctx, options, acts.EraseSession, activities.DeleteSessionInput{SessionID: id})
		switch {
		case failureType(err) == kyc.ErrorTypeLegalHold:
			e.kept = append(e.kept, id)
		case err != nil:
			return found, err
		case !e.done[id]:
			e.done[id] = true
			e.erased.Sessions++
		}
	}
	e.erased.UserKept = all.Others > 0
	if e.erased.UserKept || len(e.kept) > 0 {
		return found, nil
	}
	options := callOptions(kyc.TaskQueueDiditWrite, "Erase the user at Didit", firstPriority, refusals()...)
	users, err := call(ctx, options, acts.EraseUser, activities.UserInput{UserID: e.in.UserID})
	e.erased.Users = max(e.erased.Users, users.Users)
	return found, err
}

func (e *erasure) describe(ctx workflow.Context, what string) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**Erasing**, requested by %s: %s. So far %s.", e.in.Operator, what, e.erased))
}

// publish sets the search attribute and the current details of the finished erasure.
func (e *erasure) publish(ctx workflow.Context, r kyc.OperationResult, err error) {
	text := fmt.Sprintf("**Done** by %s: %s.", e.in.Operator, e.erased)
	switch {
	case err != nil:
		text = fmt.Sprintf("**Not done**, requested by %s: %s.", e.in.Operator, err)
	case r.Already:
		text = fmt.Sprintf("**Nothing was left** of the user; requested by %s.", e.in.Operator)
	}
	workflow.SetCurrentDetails(ctx, text)
	if err == nil {
		search(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeOutcome).ValueSet(string(kyc.OutcomeErased)))
	}
}
