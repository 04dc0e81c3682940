package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// What an erasure makes of the other workflows of its user.

// settleTime is how long after its caller has gone Didit may still be making a session.
const settleTime = callTimeout + 10*time.Second

func (v *verification) mayErase(by kyc.Operator) error {
	if err := by.Validate(); err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
	}
	return nil
}

// erase ends the verification, whatever it waits for. From then on it makes no session.
func (v *verification) erase(ctx workflow.Context, by kyc.Operator) (kyc.State, error) {
	if !v.erasing {
		v.erasing, v.cancelledBy = true, &by
		v.stop()
	}
	err := workflow.Await(ctx, func() bool { return v.record.ended() || v.over })
	return v.record.state, err
}

// vanish ends an erased verification. What it knows of Didit matters no more, but for a session that nobody has seen:
// the erasure, which goes on when this run has ended, must find it.
func (v *verification) vanish(ctx workflow.Context) error {
	if v.unseen {
		err := workflow.NewTimerWithOptions(ctx, settleTime, workflow.TimerOptions{Summary: "Give Didit time to finish the create whose answer was lost"}).Get(ctx, nil)
		if err != nil {
			return err
		}
	}
	v.record.doubt = false
	if !v.record.ended() {
		v.record.end(kyc.OutcomeErased, "", workflow.Now(ctx))
	}
	return nil
}

// vanished is what becomes of news about a session that Didit does not know. It is a failure that somebody should see,
// unless the user has been erased: then the news was on its way, and must leave no trace.
func vanished(ctx workflow.Context, in kyc.Change, last activities.LastReport, err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != kyc.ErrorTypeNotFound || last.State.SessionID != "" ||
		workflow.GetVersion(ctx, "late-news-of-an-erased-user", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return err
	}
	call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueue, "Was the user erased? Then forget this too", lastTurn))
	var late activities.LateNews
	if lookErr := workflow.ExecuteActivity(call, acts.ForgetLateNews, in).Get(ctx, &late); lookErr != nil {
		return lookErr
	}
	if late.Erased {
		return nil
	}
	return err
}
