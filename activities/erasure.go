package activities

import (
	"context"
	"errors"
	"net/http"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Erasures is what an erasure needs of Temporal; ops.Client is one.
type Erasures interface {
	// EndForErasure asks the user's newest verification to end as erased, if it is open, or terminates it.
	EndForErasure(ctx context.Context, userID string, by kyc.EraseRequest, terminate bool) (kyc.EndedVerification, error)
	// DeleteRuns deletes what Temporal has of the user, except an open verification and the records of erasures.
	DeleteRuns(ctx context.Context, userID string) (kyc.DeletedRuns, error)
}

// EndVerificationInput names the user whose verification is to end.
type EndVerificationInput struct {
	UserID string `json:"user_id"`
	kyc.Operator
	Terminate bool `json:"terminate,omitempty"` // it did not end within the timeout
}

// EndVerification asks the user's open verification to end as erased.
func (a *Activities) EndVerification(ctx context.Context, in EndVerificationInput) (kyc.EndedVerification, error) {
	by := kyc.EraseRequest{Operator: in.Operator, OperationID: activity.GetInfo(ctx).WorkflowExecution.ID}
	return a.Erasures.EndForErasure(ctx, in.UserID, by, in.Terminate)
}

// ErasableSessions are the ids of the sessions that Didit has of a user.
type ErasableSessions struct {
	SessionIDs []string `json:"session_ids"`
	// Others counts sessions of users whose id differs only in case: Didit treats them as the same user.
	Others int `json:"others,omitempty"`
}

// ListAllSessions lists all sessions that Didit has of the user, also those of other programs. Its errors have the types of
// package kyc.
func (a *Activities) ListAllSessions(ctx context.Context, in UserInput) (ErasableSessions, error) {
	all, err := a.Didit.SessionsOf(ctx, in.UserID)
	if err != nil {
		return ErasableSessions{}, classify(err)
	}
	var out ErasableSessions
	for _, s := range all {
		if s.VendorData == in.UserID {
			out.SessionIDs = append(out.SessionIDs, s.ID)
		} else {
			out.Others++
		}
	}
	return out, nil
}

// inFiledReport is Didit's code for a session that must be kept (https://docs.didit.me/sessions-api/batch-delete).
const inFiledReport = "in_filed_report"

// EraseSession deletes a session at Didit together with its face embeddings; a session that is gone already is no error. Its
// errors have the types of package kyc.
func (a *Activities) EraseSession(ctx context.Context, in DeleteSessionInput) error {
	keep := false
	_, err := a.Didit.DeleteSession(ctx, in.SessionID, didit.DeleteSessionRequest{
		Instruction: didit.DeletePrivacyErasure, RetainFaceEmbeddings: &keep,
	})
	if api, ok := errors.AsType[*didit.APIError](err); ok && api.StatusCode == http.StatusConflict && api.Code == inFiledReport {
		return temporal.NewNonRetryableApplicationError(kyc.Hint(kyc.ErrorTypeLegalHold), kyc.ErrorTypeLegalHold, err)
	}
	return classifyAction("erase the session", unlessGone(err))
}

// ErasedUsers counts the user entities that Didit had of the user.
type ErasedUsers struct {
	Users int `json:"users"`
}

// EraseUser deletes the user entity at Didit, which stays when its sessions are deleted. Its errors have the types of package
// kyc.
func (a *Activities) EraseUser(ctx context.Context, in UserInput) (ErasedUsers, error) {
	n, err := a.Didit.DeleteUser(ctx, in.UserID)
	return ErasedUsers{Users: n}, classifyAction("erase the user", unlessGone(err))
}

// ForgetRuns makes Temporal delete what it has of the user.
func (a *Activities) ForgetRuns(ctx context.Context, in UserInput) (kyc.DeletedRuns, error) {
	return a.Erasures.DeleteRuns(ctx, in.UserID)
}
