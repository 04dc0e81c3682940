package activities

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Operations is what an operator action needs of Temporal; ops.Client is one.
type Operations interface {
	// SessionOf returns the session of the user's newest verification that has one; empty if none is known.
	SessionOf(ctx context.Context, userID string) (string, error)
	// CountRuns counts the runs that a workflow id has had.
	CountRuns(ctx context.Context, workflowID string) (int64, error)
}

// BeginOperationInput names the user and perhaps the session of an operator action.
type BeginOperationInput struct {
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id,omitempty"`
}

// BegunOperation is the session that an operator action is about; empty if none is known.
type BegunOperation struct {
	SessionID string `json:"session_id"`
	// Repeated is set if the action ran before under the same workflow id: it was reset, or started once more by hand.
	Repeated bool `json:"repeated,omitempty"`
}

// BeginOperation asks Temporal whether the action runs for the first time, and for the session of the user's newest
// verification where the action names none.
func (a *Activities) BeginOperation(ctx context.Context, in BeginOperationInput) (BegunOperation, error) {
	runs, err := a.Operations.CountRuns(ctx, activity.GetInfo(ctx).WorkflowExecution.ID)
	out := BegunOperation{SessionID: in.SessionID, Repeated: runs > 1}
	if err == nil && in.SessionID == "" {
		out.SessionID, err = a.Operations.SessionOf(ctx, in.UserID)
	}
	return out, err
}

// SetStatusInput says what an operator decided about a session.
type SetStatusInput struct {
	SessionID string       `json:"session_id"`
	Status    didit.Status `json:"status"`
	Comment   string       `json:"comment"` // who and why, for Didit's own list of reviews
	// RunID is the workflow's run before any reset: an action acts once, so a reset one is refused.
	RunID string `json:"run_id"`
}

// SetStatus sets the status of a session at Didit. Its errors have the types of package kyc; after a DiditUnavailable or
// a timeout it is unclear whether Didit set the status.
func (a *Activities) SetStatus(ctx context.Context, in SetStatusInput) error {
	if run := activity.GetInfo(ctx).WorkflowExecution.RunID; in.RunID != run {
		return temporal.NewNonRetryableApplicationError("this operation was reset, and an operation acts once: start a new one",
			kyc.ErrorTypeRefused, nil)
	}
	err := a.Didit.UpdateStatus(ctx, in.SessionID, didit.UpdateStatusRequest{NewStatus: in.Status, Comment: in.Comment})
	return classifyAction("set the status to "+string(in.Status), err)
}

// FindReviewInput describes the review that SetStatus leaves at Didit.
type FindReviewInput struct {
	SetStatusInput
	Since time.Time `json:"since"`
}

// FoundReview reports whether Didit has the review.
type FoundReview struct {
	Found bool `json:"found"`
}

// FindReview finds out whether Didit carried out a SetStatus whose answer was lost. It compares the comments of others, which
// may be about a person, and keeps none. Its errors have the types of package kyc.
func (a *Activities) FindReview(ctx context.Context, in FindReviewInput) (FoundReview, error) {
	reviews, err := a.Didit.Reviews(ctx, in.SessionID)
	if err != nil {
		return FoundReview{}, classify(err)
	}
	return FoundReview{Found: slices.ContainsFunc(reviews, func(r didit.Review) bool {
		late := r.CreatedAt.IsZero() || r.CreatedAt.After(in.Since.Add(-clockSkew))
		return late && r.NewStatus == in.Status && string(r.Comment) == in.Comment
	})}, nil
}

// DeleteSessionInput names a session to delete.
type DeleteSessionInput struct {
	SessionID string `json:"session_id"`
}

// DeleteSession deletes a session at Didit; one that is gone already is no error. Its errors have the types of package kyc.
func (a *Activities) DeleteSession(ctx context.Context, in DeleteSessionInput) error {
	_, err := a.Didit.DeleteSession(ctx, in.SessionID, didit.DeleteSessionRequest{})
	return classifyAction("delete the session", unlessGone(err))
}
