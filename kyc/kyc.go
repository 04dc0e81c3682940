// Package kyc is the contract: every name and message that a signup service, the webhook and an operator exchange
// with a verification, and a typed client for them. A verification is one Temporal workflow per user.
package kyc

import (
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"didit-temporal/didit"
)

// Workflow types. The id of a Verification is WorkflowID of the user, that of a DecisionChange ChangeID, that of a
// ResultDelivery DeliveryID.
const (
	WorkflowVerification   = "Verification"   // verifies one user
	WorkflowDecisionChange = "DecisionChange" // takes news about a session whose verification is over
	WorkflowResultDelivery = "ResultDelivery" // delivers the results of a run that made way for the user's next one
)

// Task queues. Calls to Didit have queues of their own, one per limit of Didit, so that the Temporal server can hold
// each of them below that limit over all workers.
const (
	TaskQueue           = "kyc"         // workflows and work that calls nobody
	TaskQueueDiditWrite = "didit-write" // calls under Didit's limit for POST, PATCH and DELETE
	TaskQueueDiditRead  = "didit-read"  // calls under Didit's limit for GET
)

// Messages to a running verification.
const (
	SignalDiditEvent = "didit-event" // DiditEvent, no answer
	SignalHandOver   = "hand-over"   // to a run that has ended and only delivers its result: make way; no payload, no answer
	QueryState       = "state"       // answers State; of a DecisionChange, ChangeResult
	UpdateSession    = "session"     // answers Session once there is one; its id for a user's first run is the same word
)

// Search attributes, kept true at every step; SearchAttributes tells their types.
const (
	AttributeStatus     = "KycStatus"      // Didit's status of the session
	AttributeOutcome    = "KycOutcome"     // Outcome, empty while waiting
	AttributeSessionID  = "DiditSessionId" // Didit's id of the session
	AttributeWaitingFor = "KycWaitingFor"  // WaitingFor
	AttributeAttempt    = "KycAttempt"     // how often the user has been asked to act
	AttributeDeadline   = "KycDeadline"    // when the user's time to act is over
	AttributeErrorType  = "KycErrorType"   // what is wrong: one of the ErrorType constants; absent while nothing is
)

// WorkflowID names the verification of a user.
func WorkflowID(userID string) string { return "kyc-" + userID }

// ChangeID names the workflow that takes one late event of a user. A user id cannot contain '~'.
func ChangeID(userID, eventID string) string { return WorkflowID(userID) + "~" + eventID }

// DeliveryID names the workflow that delivers the results of a run that made way.
func DeliveryID(userID, runID string) string { return WorkflowID(userID) + "~result-" + runID }

// Input starts a verification. On the wire it is JSON in which unknown fields are ignored and only UserID is required.
type Input struct {
	UserID string `json:"user_id"`
	// WorkflowID is the id of Didit's flow; empty takes the worker's (DIDIT_WORKFLOW_ID).
	WorkflowID string `json:"workflow_id,omitempty"`
	// Language of Didit's hosted page, such as "en" or "pt-BR"; empty follows the browser.
	Language string `json:"language,omitempty"`
	// ReturnURL is where Didit sends the browser afterwards: absolute, http or https, or a link of an app such as
	// myapp://done, which the HTTP API takes if RETURN_URL_SCHEMES lists its scheme. Put nothing personal into it, for
	// it is kept in history. What it brings back is unsigned: ask for the state instead.
	ReturnURL string `json:"return_url,omitempty"`
	// Reverify starts a new verification for a user who has been approved or declined before.
	Reverify bool `json:"reverify,omitempty"`
	// AfterRun is the closed run that this one follows, which Client.Start fills in. The worker then looks at Didit how
	// many sessions the user has had, so that nobody runs up the bill by coming back for ever.
	AfterRun string `json:"after_run,omitempty"`
	// Priority decides who goes first when Didit's limit makes users wait.
	Priority Priority `json:"priority,omitempty"`
}

// Priority is a class of users in the queue for Didit's limit.
type Priority string

// The two priorities; the empty one means interactive.
const (
	PriorityInteractive Priority = "interactive" // a person is looking at the screen
	PriorityBulk        Priority = "bulk"        // a batch
)

// maxUserID is the length of the longest user id.
const maxUserID = 128

// ValidateUserID refuses what is not an opaque user id: one letter or digit, then up to 127 letters, digits, '.', '_',
// ':' or '-'. User ids are plain text in every list and log, so an e-mail address is refused on purpose.
func ValidateUserID(id string) error {
	const rule = "want 1 to 128 letters, digits, '.', '_', ':' or '-', the first a letter or digit; " +
		"an opaque id, never an e-mail address or a name"
	switch {
	case id == "":
		return fmt.Errorf("%w: user_id is empty; %s", ErrInvalidInput, rule)
	case len(id) > maxUserID:
		return fmt.Errorf("%w: user_id has %d bytes; %s", ErrInvalidInput, len(id), rule)
	}
	for i := range len(id) {
		if !userIDByte(id[i], i == 0) {
			return fmt.Errorf("%w: user_id has a character that is not allowed at position %d; %s", ErrInvalidInput, i+1, rule)
		}
	}
	return nil
}

func userIDByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	case c == '.', c == '_', c == ':', c == '-':
		return !first
	}
	return false
}

// Validate reports the first field of in that a verification, or Didit, would refuse.
func (in Input) Validate() error {
	if err := ValidateUserID(in.UserID); err != nil {
		return err
	}
	switch {
	case in.WorkflowID != "" && canonicalUUID(in.WorkflowID) == "":
		return fmt.Errorf("%w: workflow_id is not a UUID; want the id of a flow in Didit's console", ErrInvalidInput)
	case in.Language != "" && !languageForm.MatchString(in.Language):
		return fmt.Errorf("%w: language is not a language code; want one such as en or pt-BR", ErrInvalidInput)
	case !validReturnURL(in.ReturnURL):
		return fmt.Errorf("%w: return_url is not an absolute http or https URL, or a link of an app such as myapp://done, of at most %d bytes", ErrInvalidInput, maxReturnURL)
	}
	return in.Priority.Validate()
}

// Validate refuses a priority nobody has heard of.
func (p Priority) Validate() error {
	switch p {
	case "", PriorityInteractive, PriorityBulk:
		return nil
	}
	return fmt.Errorf("%w: priority is neither %q nor %q", ErrInvalidInput, PriorityInteractive, PriorityBulk)
}

// languageForm is that of Didit's codes (https://docs.didit.me/sessions-api/create-session), whose list grows.
var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// Session is the answer to the update "session". Token and URL let anyone who has them act as the user.
type Session struct {
	SessionID    string       `json:"session_id"`
	SessionToken string       `json:"session_token"`
	URL          string       `json:"url"`
	Status       didit.Status `json:"status"`
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

// Change is the input of a DecisionChange: an event that came after its verification had ended.
type Change struct {
	UserID string     `json:"user_id"`
	Event  DiditEvent `json:"event"`
}

// ChangeResult is what a DecisionChange found.
type ChangeResult struct {
	State State `json:"state"` // as Didit says now
	// Changed is set if State is not what was reported of that session last, or if that cannot be known any more.
	Changed bool `json:"changed"`
}

// WaitingFor says who has to do something next; empty at the end.
type WaitingFor string

// What a verification can wait for.
const (
	WaitingForLimit    WaitingFor = "limit"    // its turn under Didit's rate limit
	WaitingForUser     WaitingFor = "user"     // the person, at Didit's hosted page
	WaitingForReview   WaitingFor = "review"   // a reviewer, in Didit's console
	WaitingForDidit    WaitingFor = "didit"    // an answer of Didit's API
	WaitingForCallback WaitingFor = "callback" // the receiver of the result
	WaitingForOperator WaitingFor = "operator" // somebody to mend a fault
)

// State answers the query "state" and is the result of the workflow.
type State struct {
	UserID    string       `json:"user_id"`
	SessionID string       `json:"session_id"`
	Status    didit.Status `json:"status"`
	Outcome   Outcome      `json:"outcome"`
	// Attempt counts how often the user has been asked to act: 1 at first, one more after each Resubmitted.
	Attempt int `json:"attempt"`
	// Checks and Warnings come from Didit's decision; empty before it was read.
	Checks   []Check  `json:"checks"`
	Warnings []string `json:"warnings"`
	// ErrorType is one of the ErrorType constants when Outcome is failed.
	ErrorType string    `json:"error_type"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
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
