package kyc

import (
	"cmp"
	"errors"
	"fmt"
)

// Errors of the Client; test with errors.Is.
var (
	// ErrInvalidInput means that the input breaks a rule; the text names the field and the rule.
	ErrInvalidInput = errors.New("invalid input")
	// ErrNotFound means that there is no such verification, or, for Deliver, none that is still open.
	ErrNotFound = errors.New("no such verification")
	// ErrListLags means that Temporal's list of workflows lacks a run that has begun.
	ErrListLags = errors.New("the list of workflows in Temporal does not show the newest run yet")
)

// Types of the errors that appear in a verification's history, in State.ErrorType and in SessionError.
const (
	ErrorTypeRateLimited  = "DiditRateLimited"  // 429: retried when Didit allows it
	ErrorTypeUnavailable  = "DiditUnavailable"  // 5xx or no answer: retried
	ErrorTypeRejected     = "DiditRejected"     // another 4xx, or a redirect
	ErrorTypeUnauthorized = "DiditUnauthorized" // 401 or 403
	ErrorTypeOutOfCredit  = "DiditOutOfCredit"  // 402, or a code that says so
	ErrorTypeNotFound     = "DiditNotFound"     // 404
	ErrorTypeSessionCap   = "SessionCapReached" // the user has had SESSION_CAP sessions in 30 days: final
	ErrorTypeInvalidInput = "InvalidInput"      // the workflow was started with an input that breaks a rule
	ErrorTypeRefused      = "OperationRefused"  // an operator action that cannot be done; the message says why
	ErrorTypeCancelled    = "Cancelled"         // the verification was cancelled before there was a session
	ErrorTypeErased       = "Erased"            // the user was erased before there was a session
	ErrorTypeLegalHold    = "DiditLegalHold"    // Didit keeps a session that is in a report filed with an authority: final

	ErrorTypeCallbackFailed = "CallbackFailed" // the callback endpoint does not take a result: retried for three days
	ErrorTypeCallbackGone   = "CallbackGone"   // the callback endpoint answered 410: final
)

// SessionError says why a verification has no session: its outcome is failed, or it ended before there was one.
type SessionError struct {
	UserID string
	RunID  string
	Type   string // an ErrorType constant, empty if the verification was terminated
}

// RunError says why a user's run has no state.
type RunError struct {
	UserID string
	RunID  string
	Reason RunErrorReason
	Status string // Temporal's status of the run, such as Terminated, or what else holds its id
}

// RunErrorReason is why a run has no state.
type RunErrorReason string

// The reasons.
const (
	RunEnded    RunErrorReason = "ended"    // stopped in Temporal, or failed
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
	return fmt.Sprintf("the verification of user %s ended without a result: %s (run %s): see its history, then start the user again, which continues from Didit's state",
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

// Error says why there is no session, and what to do.
func (e *SessionError) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("verification of user %s ended before Didit made a session (run %s)", e.UserID, e.RunID)
	}
	return fmt.Sprintf("no session for user %s: %s: %s", e.UserID, e.Type, Hint(e.Type))
}

// Hint says how to fix an error of the given type.
func Hint(errorType string) string {
	return cmp.Or(hints[errorType], "see the workflow's history")
}

var hints = map[string]string{ //nolint:gosec // names of settings, and none of their values
	ErrorTypeRateLimited: "Didit's rate limit; the call is retried when Didit allows it",
	ErrorTypeUnavailable: "Didit does not answer; the call is retried",
	ErrorTypeRejected:    "Didit refused the request: check the account's balance, DIDIT_WORKFLOW_ID, the language, the return URL and DIDIT_BASE_URL",
	ErrorTypeUnauthorized: "Didit refused the API key: check the worker's DIDIT_API_KEY, its rights and allowed addresses, " +
		"the base URL and the account's balance",
	ErrorTypeOutOfCredit:  "the Didit account has no credit: top it up",
	ErrorTypeNotFound:     "Didit does not know the session, which may have been deleted there, or the flow: check DIDIT_WORKFLOW_ID and that the key is of the same application",
	ErrorTypeSessionCap:   "the user has had as many sessions in 30 days as SESSION_CAP allows: wait, or raise it",
	ErrorTypeInvalidInput: "the workflow was started with an input or a workflow id that breaks a rule; its history names it",
	ErrorTypeRefused:      "Didit or the verification does not allow it in its current state, which the message names",
	ErrorTypeCancelled:    "the verification was cancelled; starting the user begins a new one",
	ErrorTypeErased:       "the user was erased; starting the user begins a new verification without the old data",
	ErrorTypeLegalHold:    "Didit keeps the session, as it is in a report filed with an authority: resolve that with Didit, then erase again",
	ErrorTypeCallbackFailed: "the endpoint at RESULT_URL does not take results: check that it runs and verifies with one of RESULT_SECRETS; " +
		"until then poll the state instead",
	ErrorTypeCallbackGone: "the endpoint at RESULT_URL answered 410 and wants no more of this result: check RESULT_URL, or remove it",
}
