package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// Before a lost answer is looked into, Didit gets a moment to finish what it may be doing; the moments grow.
const (
	firstMoment   = 5 * time.Second
	longestMoment = 5 * time.Minute
)

// getSession gets the user a session, and never pays twice: when it is not clear whether a create made one, it looks
// before it tries again. What Didit finally refuses ends the verification as failed.
func (v *verification) getSession(ctx workflow.Context) error {
	v.busy = kyc.WaitingForLimit
	v.publish(ctx)
	made, err := v.makeSession(ctx)
	v.busy, v.silent = "", false
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) {
		v.record.end(kyc.OutcomeFailed, refused.Type(), workflow.Now(ctx))
		v.results.wanted = v.results.wanted || wantsResults(refused)
		return nil
	}
	if err != nil {
		return err
	}
	v.begun(ctx, made)
	return nil
}

// begun notes the session and the terms that the verification goes by from now on.
func (v *verification) begun(ctx workflow.Context, made activities.MadeSession) {
	now := workflow.Now(ctx)
	v.session, v.terms = made.Session, made.Terms
	v.results.wanted = v.terms.Results
	v.record.begin(v.session, now)
	v.looks = schedule{
		first:   time.Duration(v.terms.ReconcileSeconds) * time.Second,
		longest: time.Duration(v.terms.ReconcileMaxSeconds) * time.Second,
	}
	v.looks.restart(now)
}

func (v *verification) makeSession(ctx workflow.Context) (activities.MadeSession, error) {
	if v.in.AfterRun != "" {
		if err := v.checkCap(ctx); err != nil {
			return activities.MadeSession{}, err
		}
	}
	for moment := firstMoment; ; moment = min(2*moment, longestMoment) {
		made, err := v.createOnceDiditAnswers(ctx)
		if v.unseen = unclear(err); !v.unseen {
			return made, err
		}
		v.tellSilence(ctx)
		if err := workflow.NewTimerWithOptions(ctx, moment, workflow.TimerOptions{
			Summary: "Give Didit a moment, then look whether the session was made",
		}).Get(ctx, nil); err != nil {
			return made, err
		}
		adopted, err := v.findSession(ctx)
		if err != nil || adopted.Ours {
			return adopted.MadeSession, err
		}
		v.unseen = false
	}
}

// unclear reports whether a create may have made a session: Didit's answer was lost or made no sense, or the worker
// died between sending and telling.
func unclear(err error) bool {
	var timeout *temporal.TimeoutError
	var app *temporal.ApplicationError
	return errors.As(err, &timeout) || errors.As(err, &app) && app.Type() == kyc.ErrorTypeUnavailable
}

// closed reports whether Didit said that it takes no calls at the moment, and did nothing. The worker marks the failures
// after which it may have done something as final.
func closed(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == kyc.ErrorTypeUnavailable && !app.NonRetryable()
}

// createOnceDiditAnswers lets the workflow see the first time that Didit is closed, so that the list can tell who waits for
// Didit from who waits for a turn. After that the server tries by itself, at no cost to the history.
func (v *verification) createOnceDiditAnswers(ctx workflow.Context) (activities.MadeSession, error) {
	if v.silent {
		return v.createSession(ctx)
	}
	made, err := v.createSession(ctx, kyc.ErrorTypeUnavailable)
	if !closed(err) {
		return made, err
	}
	v.tellSilence(ctx)
	if !v.silent && ctx.Err() != nil { // code before the version looked for a session even then
		return made, err
	}
	var app *temporal.ApplicationError
	errors.As(err, &app)
	if err := workflow.NewTimerWithOptions(ctx, max(firstMoment, app.NextRetryDelay()), workflow.TimerOptions{
		Summary: "Didit does not answer: then ask again",
	}).Get(ctx, nil); err != nil {
		return made, err
	}
	return v.createSession(ctx)
}

// tellSilence makes the list say that Didit does not answer. The version keeps runs of older code on their path.
func (v *verification) tellSilence(ctx workflow.Context) {
	if v.silent || workflow.GetVersion(ctx, "tell-silence", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	v.silent, v.busy = true, kyc.WaitingForDidit
	v.publish(ctx)
}

// workerDied is Temporal's name for an activity whose worker did not report in time. Temporal would otherwise send the
// create again, unseen.
const workerDied = "TemporalTimeout:StartToClose"

func (v *verification) createSession(ctx workflow.Context, final ...string) (made activities.MadeSession, err error) {
	final = append(append(refusals(), workerDied), final...)
	options := callOptions(kyc.TaskQueueDiditWrite, "Create the session at Didit", v.in.Priority.Key(), final...)
	options.WaitForCancellation = true
	detached, stop := workflow.NewDisconnectedContext(ctx)
	create := workflow.ExecuteActivity(workflow.WithActivityOptions(detached, options), acts.CreateSession, activities.CreateSessionInput{
		UserID: v.in.UserID, WorkflowID: v.in.WorkflowID, Language: v.in.Language, ReturnURL: v.in.ReturnURL, Attempt: 1,
	})
	if err := workflow.Await(ctx, create.IsReady); err != nil {
		stop()
		if v.cancelledBy == nil { // Temporal's own button waits for nobody
			return made, err
		}
	}
	err = create.Get(detached, &made) // one that waits for its turn has gone; one that was sent tells what it made
	if v.cancelledBy != nil && turnedAway(err) && workflow.GetVersion(ctx, "cancelled-while-turned-away", workflow.DefaultVersion, 1) == 1 {
		err = ctx.Err()
	}
	return made, err
}

// turnedAway reports whether Didit said that it was not the call's turn. That ends only calls that were cancelled.
func turnedAway(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == kyc.ErrorTypeRateLimited
}

// findSession looks among the user's sessions at Didit for one that this run made.
func (v *verification) findSession(ctx workflow.Context) (adopted activities.AdoptedSession, err error) {
	list, err := v.listSessions(ctx)
	if err != nil {
		return adopted, err
	}
	call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueueDiditRead, "Is this the session whose answer was lost?",
		v.in.Priority.Key(), refusals()...))
	// A session is made after its run, by Didit's clock, which may be somewhat behind.
	since := workflow.GetInfo(ctx).WorkflowStartTime.Add(-time.Hour)
	for _, s := range list.Sessions {
		if ends(s.Status) && s.CreatedAt.Before(since) {
			continue
		}
		err = workflow.ExecuteActivity(call, acts.AdoptSession, activities.AdoptSessionInput{
			SessionID: s.SessionID, UserID: v.in.UserID, WorkflowID: v.in.WorkflowID,
		}).Get(ctx, &adopted)
		if err != nil || adopted.Ours {
			return adopted, err
		}
	}
	return adopted, nil
}

func (v *verification) listSessions(ctx workflow.Context) (list activities.UserSessions, err error) {
	call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueueDiditRead, "List the user's sessions at Didit",
		v.in.Priority.Key(), refusals()...))
	err = workflow.ExecuteActivity(call, acts.ListSessions, activities.ListSessionsInput{UserID: v.in.UserID}).Get(ctx, &list)
	v.results.wanted = v.results.wanted || list.Results && v.terms.WorkflowID == "" // later, the terms say
	return list, err
}

// checkCap protects the bill from a user who comes back for ever.
func (v *verification) checkCap(ctx workflow.Context) error {
	list, err := v.listSessions(ctx)
	if err != nil {
		return err
	}
	if list.Recent >= list.Cap {
		return temporal.NewNonRetryableApplicationError(kyc.Hint(kyc.ErrorTypeSessionCap), kyc.ErrorTypeSessionCap, nil)
	}
	return nil
}
