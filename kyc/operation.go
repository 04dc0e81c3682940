package kyc

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// Updates that operators send to an open verification. They take an Operator and answer State.
const (
	UpdateRefresh = "refresh" // reads Didit's decision now
	UpdateCancel  = "cancel"  // ends the verification as cancelled
	UpdateErase   = "erase"   // ends the verification as erased; only the Operation erase sends it
)

// Verb is an operator action.
type Verb string

// The verbs. Each but VerbErase sets the status that Status names, as a reviewer in Didit's console would.
const (
	VerbApprove  Verb = "approve"
	VerbDecline  Verb = "decline"
	VerbResubmit Verb = "resubmit" // the user must come back, with the same URL
	VerbErase    Verb = "erase"    // deletes the user's data at Didit and in Temporal
)

// Verbs lists the verbs.
func Verbs() []Verb { return []Verb{VerbApprove, VerbDecline, VerbResubmit, VerbErase} }

// Status is the status that the verb gives a session; empty for VerbErase, and for an unknown verb.
func (v Verb) Status() didit.Status { return statuses[v] }

var statuses = map[Verb]didit.Status{
	VerbApprove: didit.StatusApproved, VerbDecline: didit.StatusDeclined, VerbResubmit: didit.StatusResubmitted,
}

// Operator says who acts, and why. Both are kept in history and sent to Didit, so they must not name a user.
type Operator struct {
	// Actor is the operator's name in your directory: 1 to 64 letters, digits, '.', '_', ':' or '-'.
	Actor string `json:"actor"`
	// Reason is a code and a ticket, such as documents-checked:CASE-1042, never free text about a person.
	Reason string `json:"reason"`
}

// Disposable lets a workflow refuse a request that is damaged, or was made for another user.
func (*Operator) Disposable() {}

// String is the operator's comment in the session's reviews at Didit.
func (o Operator) String() string { return o.Actor + " " + o.Reason }

const (
	maxActor  = 64
	maxReason = 128
)

// Validate refuses an operator without a name or a reason, and free text.
func (o Operator) Validate() error {
	switch {
	case !plain(o.Actor, maxActor, "._:-"):
		return fmt.Errorf("%w: actor: want 1 to %d letters, digits, '.', '_', ':' or '-', the first a letter or digit; "+
			"the operator's name in your directory", ErrInvalidInput, maxActor)
	case !plain(o.Reason, maxReason, "._:#/-"):
		return fmt.Errorf("%w: reason: want 1 to %d letters, digits, '.', '_', ':', '#', '/' or '-', the first a letter or digit; "+
			"a code and a ticket such as documents-checked:CASE-1042, never free text about a person", ErrInvalidInput, maxReason)
	}
	return nil
}

// plain reports whether s begins with a letter or digit and goes on with those and the given marks.
func plain(s string, longest int, marks string) bool {
	for i := range len(s) {
		if !allowed(s[i], i == 0, marks) {
			return false
		}
	}
	return s != "" && len(s) <= longest
}

// Operation is the input of the workflow of the same name.
type Operation struct {
	UserID string `json:"user_id"`
	Verb   Verb   `json:"verb"`
	Operator
	// SessionID is Didit's id of the session; empty takes that of the user's newest verification that has one.
	SessionID string `json:"session_id,omitempty"`
	// LegalHoldChecked says that the operator has checked that no legal hold is on the user's data. Without it nothing is
	// erased; other verbs ignore it.
	LegalHoldChecked bool `json:"legal_hold_checked,omitempty"`
	// ID makes a repeated call join the first one instead of acting again: a UUID; empty takes a new one.
	ID string `json:"-"`
}

// OperationResult is the result of an Operation. An erasure sets Erased, and neither session nor statuses.
type OperationResult struct {
	UserID    string       `json:"user_id"`
	SessionID string       `json:"session_id"`
	Verb      Verb         `json:"verb"`
	Before    didit.Status `json:"before"`
	After     didit.Status `json:"after"`
	// Changed is set if the operation changed something. Already is set instead if the session had the status before.
	Changed bool    `json:"changed"`
	Already bool    `json:"already"`
	Erased  *Erased `json:"erased,omitempty"`
}

// Validate reports the first field of op that breaks a rule.
func (op Operation) Validate() error {
	if err := ValidateUserID(op.UserID); err != nil {
		return err
	}
	switch {
	case op.Verb == VerbErase && op.SessionID != "":
		return fmt.Errorf("%w: session_id: an erasure is of the whole user, so leave it out", ErrInvalidInput)
	case op.Verb == VerbErase && !op.LegalHoldChecked:
		return fmt.Errorf("%w: legal_hold_checked: check that there is no legal hold on this "+
			"user's data, then set it to true", ErrInvalidInput)
	case op.Verb != VerbErase && op.Verb.Status() == "":
		return fmt.Errorf("%w: verb: want one of %v", ErrInvalidInput, Verbs())
	case op.SessionID != "" && !isUUID(op.SessionID):
		return fmt.Errorf("%w: session_id is not a UUID; leave it out for the session of the user's newest verification", ErrInvalidInput)
	case op.ID != "" && !isUUID(op.ID):
		return fmt.Errorf("%w: the id of an operation is a UUID", ErrInvalidInput)
	}
	return op.Operator.Validate()
}

// HasEnded is the text that refuses an action on a verification that has ended.
func HasEnded(s State) string {
	return fmt.Sprintf("the verification has ended: %s", s.Outcome)
}

// OperationID returns the workflow id of one operator action on a user; id is a UUID.
func OperationID(userID string, v Verb, id string) string {
	return WorkflowID(userID) + "~" + string(v) + "-" + id
}

// ValidateWorkflowID refuses a workflow id with which the action is missing in the user's timeline.
func (op Operation) ValidateWorkflowID(workflowID string) error {
	want := OperationID(op.UserID, op.Verb, "")
	if id, ok := strings.CutPrefix(workflowID, want); ok && isUUID(id) {
		return nil
	}
	return fmt.Errorf("%w: the workflow id of this operation must be %s and a new UUID", ErrInvalidInput, want)
}

// isUUID wants the usual form, in which a UUID is part of an id.
func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
