// Package kyc is the contract: every name and message that a signup service, the webhook and an operator exchange
// with a verification, and a typed client for them. A verification is one Temporal workflow per user.
package kyc

import (
	"fmt"
	"log/slog"
	"time"

	"didit-temporal/didit"
)

// Workflow types. The id of a Verification is WorkflowID of the user, so that a user has at most one open run; that of an
// Operation is OperationID.
const (
	WorkflowVerification = "Verification" // verifies one user
	WorkflowOperation    = "Operation"    // carries out one operator action
)

// Task queues. Calls to Didit have queues of their own, one per limit of Didit, so that the Temporal server can hold
// each of them below that limit over all workers.
const (
	TaskQueue           = "kyc"         // workflows, and activities that do not call Didit
	TaskQueueDiditWrite = "didit-write" // calls under Didit's limit for POST, PATCH and DELETE
	TaskQueueDiditRead  = "didit-read"  // calls under Didit's limit for GET
)

// Messages to a verification.
const (
	SignalDiditEvent  = "didit-event"  // DiditEvent, no answer
	QueryState        = "state"        // answers State
	QueryVerification = "verification" // answers Snapshot; for programs, since it may hold the secret URL
	UpdateSession     = "session"      // takes Input, answers Session once there is a URL or a verdict; also the id of a user's first update
)

// Search attributes, updated at every step.
const (
	AttributeStatus     = "KycStatus"       // Didit's status of the session
	AttributeOutcome    = "KycOutcome"      // Outcome, empty while waiting
	AttributeSessionID  = "DiditSessionId"  // Didit's id of the session
	AttributeFlow       = "DiditWorkflowId" // Didit's id of the flow that the session is of
	AttributeWaitingFor = "KycWaitingFor"   // WaitingFor
	AttributeAttempt    = "KycAttempt"      // how often the user has been asked to act
	AttributeDeadline   = "KycDeadline"     // when the user's time to act is over
	AttributeErrorType  = "KycErrorType"    // what is wrong: one of the ErrorType constants; absent while nothing is
)

// WorkflowID names the verification of a user.
func WorkflowID(userID string) string { return "kyc-" + userID }

// Session is the answer to the update "session". Token and URL let anyone who has them act as the user.
type Session struct {
	SessionID    string       `json:"session_id"`
	SessionToken string       `json:"session_token"`
	URL          string       `json:"url"`
	Status       didit.Status `json:"status"`
	WorkflowID   string       `json:"workflow_id,omitempty"` // Didit's flow
}

// String leaves out the secrets.
func (s Session) String() string { return fmt.Sprintf("session %s, %s", s.SessionID, s.Status) }

// LogValue leaves out the secrets.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Outcome is how a verification ended; empty while it waits.
type Outcome string

// The outcomes.
const (
	OutcomeApproved  Outcome = "approved"
	OutcomeDeclined  Outcome = "declined"
	OutcomeExpired   Outcome = "expired"   // the link was never used in time
	OutcomeAbandoned Outcome = "abandoned" // begun, not finished in time
	OutcomeLapsed    Outcome = "lapsed"    // approved once, the document has expired since
	OutcomeFailed    Outcome = "failed"    // no session could be made: State.ErrorType says why
	OutcomeCancelled Outcome = "cancelled"
	OutcomeErased    Outcome = "erased"
)

// Decided reports whether Didit gave a verdict on the user.
func (o Outcome) Decided() bool { return o == OutcomeApproved || o == OutcomeDeclined }

// WaitingFor is who or what must act next; empty at the end.
type WaitingFor string

// What a verification can wait for.
const (
	WaitingForLimit    WaitingFor = "limit"    // its place in the queue for Didit's rate limit
	WaitingForUser     WaitingFor = "user"     // the person, at Didit's hosted page
	WaitingForReview   WaitingFor = "review"   // a reviewer, in Didit's console
	WaitingForDidit    WaitingFor = "didit"    // an answer of Didit's API
	WaitingForCallback WaitingFor = "callback" // the callback endpoint
	WaitingForOperator WaitingFor = "operator" // an operator who fixes what is wrong
)

// WaitingFors lists what a verification can wait for.
func WaitingFors() []WaitingFor {
	return []WaitingFor{WaitingForLimit, WaitingForUser, WaitingForReview, WaitingForDidit, WaitingForCallback, WaitingForOperator}
}

// State answers the query "state" and is the result of the workflow.
type State struct {
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id"`
	// WorkflowID is Didit's id of the flow that the session is of.
	WorkflowID string       `json:"workflow_id"`
	Status     didit.Status `json:"status"`
	Outcome    Outcome      `json:"outcome"`
	// Attempt counts how often the session asked the user to act: 1 at first, one more after each Resubmitted.
	Attempt int `json:"attempt"`
	// Checks and Warnings come from Didit's decision; empty before it was read.
	Checks   []Check  `json:"checks"`
	Warnings []string `json:"warnings"`
	// ErrorType is one of the ErrorType constants when Outcome is failed.
	ErrorType string `json:"error_type"`
	// UpdatedAt is when the state changed last, CheckedAt when Didit confirmed it last.
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
}

// PersonActs reports whether the next step of a session with this status is the person's. Didit returns such a session again
// instead of making another (docs.didit.me/sessions-api/create-session).
func PersonActs(s didit.Status) bool {
	switch s {
	case didit.StatusNotStarted, didit.StatusInProgress, didit.StatusAwaitingUser, didit.StatusResubmitted:
		return true
	}
	return false
}

// PersonMustAct reports whether the next step is the person's, at Didit's hosted page.
func (s State) PersonMustAct() bool {
	return PersonActs(s.Status) && s.Outcome == "" && s.SessionID != ""
}

// SameAs reports whether a callback would report nothing new with other after s.
func (s State) SameAs(other State) bool {
	return s.SessionID == other.SessionID && s.Status == other.Status && s.Outcome == other.Outcome && s.Attempt == other.Attempt
}

// Snapshot answers the query "verification".
type Snapshot struct {
	State State `json:"state"`
	// Session holds URL and token while the person must act; else it is zero.
	Session Session `json:"session,omitzero"`
	// Reported is the last state that a callback has delivered; nil if there was none.
	Reported *State `json:"reported,omitempty"`
	// Reporting is set while a callback is under way: it may have been delivered.
	Reporting bool `json:"reporting,omitempty"`
}

// Check is the result of one feature of Didit's flow, such as ID_VERIFICATION.
type Check struct {
	Feature string `json:"feature"`
	Status  string `json:"status"`
}

// DiditEvent is the payload of the signal "didit-event": what a verified webhook says, word for word, and nothing
// about the person.
type DiditEvent struct {
	// EventID is Didit's event_id, the same in every repeat; see FromDidit for events without one.
	EventID   string       `json:"event_id"`
	Type      string       `json:"webhook_type"`
	SessionID string       `json:"session_id"`
	Status    didit.Status `json:"status"`
	// CreatedAt is when it happened, in Unix seconds. Events are ordered by it, never by arrival.
	CreatedAt int64 `json:"created_at"`
}

// Disposable lets a workflow drop an event that is damaged: Didit is polled anyway.
func (*DiditEvent) Disposable() {}
