package kyc

import (
	"errors"
	"fmt"
)

// Errors of the Client; test with errors.Is.
var (
	// ErrInvalidInput means that the input breaks a rule; the text names the field and the rule.
	ErrInvalidInput = errors.New("invalid input")
	// ErrNotFound means that there is no such verification, or, for Deliver, none that is still open.
	ErrNotFound = errors.New("no such verification")
)

// Types of the errors that appear in a verification's history, in State.ErrorType and in SessionError.
const (
	ErrorTypeRateLimited  = "DiditRateLimited"  // 429: tried again when Didit says so
	ErrorTypeUnavailable  = "DiditUnavailable"  // 5xx or no answer: tried again
	ErrorTypeRejected     = "DiditRejected"     // another 4xx, or a redirect
	ErrorTypeUnauthorized = "DiditUnauthorized" // 401 or 403
	ErrorTypeOutOfCredit  = "DiditOutOfCredit"  // 402, or a code that says so
	ErrorTypeNotFound     = "DiditNotFound"     // 404
	ErrorTypeSessionCap   = "SessionCapReached" // the user has had SESSION_CAP sessions in 30 days: final
	ErrorTypeInvalidInput = "InvalidInput"      // the workflow was started with an input that breaks a rule
	ErrorTypeRefused      = "OperationRefused"  // an operator asked for what cannot be done; the message says why
	ErrorTypeCancelled    = "Cancelled"         // the verification was cancelled before there was a session
	ErrorTypeErased       = "Erased"            // the user was erased before there was a session
	ErrorTypeLegalHold    = "DiditLegalHold"    // Didit keeps a session that is in a report filed with an authority: final

	ErrorTypeCallbackFailed = "CallbackFailed" // the receiver of results does not take one: tried again for three days
	ErrorTypeCallbackGone   = "CallbackGone"   // the receiver of results answered 410: final
)

// SessionError says why a verification has no session: its outcome is failed, or it ended before there was one.
type SessionError struct {
	UserID string
	RunID  string
	Type   string // an ErrorType constant, empty if the verification was terminated
}

// RunError says why a user's run cannot say how its user stands.
type RunError struct {
	UserID string
	RunID  string
	Reason RunErrorReason
	Status string // Temporal's word for the run, such as Terminated, or what else holds its id
}

// RunErrorReason is why a run cannot answer.
type RunErrorReason string

// The reasons.
const (
	RunEnded    RunErrorReason = "ended"    // stopped in Temporal, or failed by a fault
	RunPaused   RunErrorReason = "paused"   // paused in Temporal by an operator
	RunOccupied RunErrorReason = "occupied" // the id belongs to a workflow that is no verification
)

func (e *RunError) Error() string {
	switch e.Reason {
	case RunPaused:
		return fmt.Sprintf("the verification of user %s is paused by an operator (run %s): unpause it in Temporal", e.UserID, e.RunID)
	case RunOccupied:
		return fmt.Sprintf("the workflow id of user %s is taken by %s (run %s): terminate it in Temporal", e.UserID, e.Status, e.RunID)
	}
	return fmt.Sprintf("the verification of user %s ended without a result: %s (run %s): see its history; starting the user again continues from what Didit says",
		e.UserID, e.Status, e.RunID)
}

// FlowError says that the user's verification is of another flow than the one asked for.
type FlowError struct {
	UserID     string
	Have, Want string // ids of Didit's flows
}

func (e *FlowError) Error() string {
	return fmt.Sprintf("the verification of user %s is of flow %s, not %s: leave workflow_id out to take it, or set reverify for a session of the other flow",
		e.UserID, e.Have, e.Want)
}

// Error says what to do about it.
func (e *SessionError) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("verification of user %s ended before Didit made a session (run %s)", e.UserID, e.RunID)
	}
	return fmt.Sprintf("no session for user %s: %s: %s", e.UserID, e.Type, Hint(e.Type))
}

// Hint tells a person how to mend an error of the given type.
func Hint(errorType string) string {
	switch errorType {
	case ErrorTypeRateLimited:
		return "Didit asks us to slow down; it is tried again when Didit allows it"
	case ErrorTypeUnavailable:
		return "Didit does not answer; it is tried again by itself"
	case ErrorTypeRejected:
		return "Didit refused the request: check the account's balance, DIDIT_WORKFLOW_ID, the language, the return URL and DIDIT_BASE_URL"
	case ErrorTypeUnauthorized:
		return "Didit refused the API key: check the worker's DIDIT_API_KEY, its rights and allowed addresses, " +
			"the base URL and the account's balance"
	case ErrorTypeOutOfCredit:
		return "the Didit account has no credit: top it up"
	case ErrorTypeNotFound:
		return "Didit does not know the session, which may have been deleted there, or the flow: check DIDIT_WORKFLOW_ID and that the key is of the same application"
	case ErrorTypeSessionCap:
		return "the user has had as many sessions in 30 days as SESSION_CAP allows: wait, or raise it"
	case ErrorTypeInvalidInput:
		return "the workflow was started with an input or a workflow id that breaks a rule; its history names it"
	case ErrorTypeRefused:
		return "Didit or the verification does not allow it as things stand; the message says how they stand"
	case ErrorTypeCancelled:
		return "the verification was cancelled; starting the user begins a new one"
	case ErrorTypeErased:
		return "the user was erased; starting the user begins a new one, which knows nothing of the old"
	case ErrorTypeLegalHold:
		return "Didit keeps the session, as it is in a report filed with an authority: settle it with Didit, then erase again"
	case ErrorTypeCallbackFailed:
		return "the receiver at RESULT_URL does not take results: check that it runs and verifies with one of RESULT_SECRETS; " +
			"until then ask for the state instead"
	case ErrorTypeCallbackGone:
		return "the receiver at RESULT_URL answered 410 and wants no more of this result: check RESULT_URL, or remove it"
	}
	return "see the workflow's history"
}
