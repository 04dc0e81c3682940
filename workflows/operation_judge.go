package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// findLostReview finds out whether Didit carried out the action whose answer was lost, if the status does not show it: the
// user or a reviewer may have acted since.
func (o *operation) findLostReview(ctx workflow.Context, now didit.Status) error {
	if !o.unclear || now == o.in.Verb.Status() {
		return nil
	}
	options := callOptions(kyc.TaskQueueDiditRead, "Did Didit carry out the action whose answer was lost?", firstPriority, refusals()...)
	review, err := call(ctx, options, acts.FindReview, activities.FindReviewInput{SetStatusInput: o.input(ctx), Since: workflow.GetInfo(ctx).WorkflowStartTime})
	if failureType(err) != "" { // the key may not read reviews, so the status must do
		workflow.GetLogger(ctx).Warn("reviews cannot be read", "session_id", o.result.SessionID, "error", err)
		return nil
	}
	o.done, o.absent = review.Found, err == nil && !review.Found
	return err
}

// judge reports whether nothing is left to do, or returns why nothing can be done.
func (o *operation) judge(now didit.Status) (done bool, err error) {
	want := o.in.Verb.Status()
	o.result.After = now
	switch {
	case o.done:
		o.result.Changed = true
		return true, nil
	case now == want:
		o.result.Changed = o.unclear
		o.result.Already = !o.unclear
		return true, nil
	case now != o.result.Before && o.unclear && !o.absent:
		return false, refuse("no clear answer from Didit: session %s was %s and is now %s, so the action may have been carried out "+
			"before that: check the session's reviews at Didit", o.result.SessionID, o.result.Before, now)
	case now != o.result.Before:
		return false, refuse("session %s was %s and is now %s: another reviewer acted first: read the decision again", o.result.SessionID, o.result.Before, now)
	case o.refusal != nil:
		return false, refuse("Didit does not set %s on session %s, which is %s: %s", want, o.result.SessionID, now, o.refusal)
	case !reviewable(now):
		return false, refuse("session %s is %s: Didit sets %s only on one that is Approved, Declined, In Review, Kyc Expired, Abandoned "+
			"or Resubmitted", o.result.SessionID, now, want)
	}
	return false, nil
}

// again returns the delay before the next try, or the error that no retry fixes.
func (o *operation) again(backoff time.Duration, err error) (time.Duration, error) {
	app, failed := errors.AsType[*temporal.ApplicationError](err)
	lost := unclear(err)
	o.unclear = o.unclear || lost
	switch {
	case !failed && lost:
		return backoff, nil
	case !failed:
		return 0, err
	case app.Type() == kyc.ErrorTypeRejected: // the status may have just changed
		o.refusal = errors.New(app.Message())
		return time.Second, nil
	case app.Type() == kyc.ErrorTypeRateLimited, app.Type() == kyc.ErrorTypeUnavailable:
		return max(backoff, app.NextRetryDelay()), nil
	}
	return 0, err
}

// reviewable reports whether Didit lets the status of a session be set (docs.didit.me/sessions-api/update-status).
func reviewable(s didit.Status) bool {
	return slices.Contains([]didit.Status{
		didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusKycExpired, didit.StatusAbandoned, didit.StatusResubmitted,
	}, s)
}

// refuse is the error of an operator action that cannot be done.
func refuse(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), kyc.ErrorTypeRefused, nil)
}
