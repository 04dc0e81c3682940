package activities

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Operations is what an operator's order needs of Temporal; kyc.Client is one.
type Operations interface {
	// SessionOf returns the session of the user's newest verification that has one; empty if none is known.
	SessionOf(ctx context.Context, userID string) (string, error)
	// CheckLater finds out some minutes from now whether everybody has heard of a status that was set.
	CheckLater(ctx context.Context, userID, id, sessionID string, status didit.Status) error
}

// FindSessionInput names a user.
type FindSessionInput struct {
	UserID string `json:"user_id"`
}

// FoundSession is a session of a user; empty if none is known.
type FoundSession struct {
	SessionID string `json:"session_id"`
}

// FindSession asks Temporal for the session of the user's newest verification that has one.
func (a *Activities) FindSession(ctx context.Context, in FindSessionInput) (FoundSession, error) {
	id, err := a.Operations.SessionOf(ctx, in.UserID)
	return FoundSession{SessionID: id}, err
}

// SetStatusInput says what an operator decided about a session.
type SetStatusInput struct {
	SessionID string       `json:"session_id"`
	Status    didit.Status `json:"status"`
	Comment   string       `json:"comment"` // who and why, for Didit's own list of reviews
}

// SetStatus sets the status of a session at Didit. Its errors have the types of package kyc; after a DiditUnavailable or
// a timeout it is unclear whether Didit did it.
func (a *Activities) SetStatus(ctx context.Context, in SetStatusInput) error {
	err := a.Didit.UpdateStatus(ctx, in.SessionID, didit.UpdateStatusRequest{NewStatus: in.Status, Comment: in.Comment})
	return classifyOrder("set the status to "+string(in.Status), err)
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

// clockSkew is how far Didit's clock may be behind ours.
const clockSkew = time.Minute

// FindReview looks whether Didit did what a SetStatus asked for whose answer was lost. Comments of others, which may be
// about a person, are compared and forgotten. Its errors have the types of package kyc.
func (a *Activities) FindReview(ctx context.Context, in FindReviewInput) (FoundReview, error) {
	reviews, err := a.Didit.Reviews(ctx, in.SessionID)
	if err != nil {
		return FoundReview{}, a.classify(err)
	}
	for _, r := range reviews {
		late := r.CreatedAt.IsZero() || r.CreatedAt.After(in.Since.Add(-clockSkew))
		if late && r.NewStatus == in.Status && string(r.Comment) == in.Comment {
			return FoundReview{Found: true}, nil
		}
	}
	return FoundReview{}, nil
}

// DeleteSessionInput names a session that nobody needs.
type DeleteSessionInput struct {
	SessionID string `json:"session_id"`
}

// DeleteSession deletes a session at Didit; one that is gone already is deleted. Its errors have the types of package kyc.
func (a *Activities) DeleteSession(ctx context.Context, in DeleteSessionInput) error {
	_, err := a.Didit.DeleteSession(ctx, in.SessionID, didit.DeleteSessionRequest{})
	var api *didit.APIError
	if errors.As(err, &api) && api.StatusCode == http.StatusNotFound {
		return nil
	}
	return classifyOrder("delete the session", err)
}

// CheckLaterInput names a status that an operation set.
type CheckLaterInput struct {
	UserID      string       `json:"user_id"`
	OperationID string       `json:"operation_id"` // the UUID in its workflow id
	SessionID   string       `json:"session_id"`
	Status      didit.Status `json:"status"`
}

// CheckLater has it looked after, some minutes from now, that everybody has heard of the status.
func (a *Activities) CheckLater(ctx context.Context, in CheckLaterInput) error {
	return a.Operations.CheckLater(ctx, in.UserID, in.OperationID, in.SessionID, in.Status)
}

// classifyOrder is classify for what an operator asked for: a refusal is not about settings, so it quotes Didit.
func classifyOrder(what string, err error) error {
	if err == nil {
		return nil
	}
	kind := errorType(err)
	why := kyc.Hint(kind)
	if kind == kyc.ErrorTypeRejected {
		why = err.Error()
	}
	return temporal.NewApplicationErrorWithOptions("cannot "+what+": "+why, kind, temporal.ApplicationErrorOptions{
		Cause: err, NextRetryDelay: nextTry(err), Category: category(kind),
	})
}
