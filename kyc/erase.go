package kyc

import (
	"fmt"
	"time"
)

// Erased counts what an erasure has deleted.
type Erased struct {
	// Sessions are those at Didit that were deleted, each with privacy_erasure.
	Sessions int `json:"sessions"`
	// Users is 1 if Didit had a user entity of the user.
	Users int `json:"users"`
	// Runs are the workflow runs that were deleted from Temporal: verifications, late updates, operator actions.
	Runs int `json:"runs"`
	// Ended is set if a verification was open.
	Ended bool `json:"ended"`
	// UserKept is set if Didit's user entity stays, because it also has sessions of another user of yours, whose id differs
	// only in upper and lower case.
	UserKept bool `json:"user_kept"`
}

// String is a short summary.
func (e Erased) String() string {
	user := "no user"
	switch {
	case e.UserKept:
		user = "the user kept, because another user's id differs only in case"
	case e.Users > 0:
		user = "the user"
	}
	return fmt.Sprintf("erased at Didit: %d sessions, %s; in Temporal: %d runs", e.Sessions, user, e.Runs)
}

// EraseRequest is the argument of the update "erase". It names the Operation that sends it and carries out the erasure.
type EraseRequest struct {
	Operator
	OperationID string `json:"operation_id"` // its workflow id
}

// Validate refuses an operator who breaks a rule, and a request that does not come from an erasure of the user.
func (r EraseRequest) Validate(userID string) error {
	if err := (Operation{UserID: userID, Verb: VerbErase}).ValidateWorkflowID(r.OperationID); err != nil {
		return fmt.Errorf("%w: start an Operation with the verb erase, which sends this update and erases at Didit too", err)
	}
	return r.Operator.Validate()
}

// EndedVerification is what an erasure finds of the user's newest verification.
type EndedVerification struct {
	Open bool `json:"open"` // or was: ask again
	// Stopped is when it was stopped in Temporal before it had a session: a create may have been in flight then.
	Stopped time.Time `json:"stopped,omitzero"`
}

// DeletedRuns is what one pass of deletions found of the user's workflow runs.
type DeletedRuns struct {
	// Deleting are the ids of runs whose deletion was requested. Temporal deletes later, so the next pass may find them again.
	Deleting []string `json:"deleting"`
	// Left counts the runs that are to be deleted, or are still listed. Zero means that all are gone.
	Left int `json:"left"`
	// Open is set if one of them is an open verification, which stays.
	Open bool `json:"open,omitempty"`
}
