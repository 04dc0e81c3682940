package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// action is the body of an operator action.
type action struct {
	verb             kyc.Verb
	actor, reason    string
	sessionID        string
	legalHoldChecked bool
}

const (
	actionExample   = `such as {"actor": "anna", "reason": "duplicate:CASE-1042"}`
	decisionExample = `such as {"verb": "approve", "actor": "anna", "reason": "documents-checked:CASE-1042"}`
	erasureExample  = `such as {"actor": "anna", "reason": "request:CASE-1042", "legal_hold_checked": true}`
)

// operatorFields are those of every action.
var operatorFields = []field[action]{
	{name: "actor", text: func(x *action, s string) error {
		x.actor = s
		return kyc.Operator{Actor: s, Reason: "r"}.Validate()
	}},
	{name: "reason", required: "a code and a ticket", text: func(x *action, s string) error {
		x.reason = s
		return kyc.Operator{Actor: "a", Reason: s}.Validate()
	}},
}

var decisionFields = append([]field[action]{
	{name: "verb", required: "approve, decline or resubmit", text: func(x *action, s string) error {
		x.verb = kyc.Verb(s)
		if x.verb.Status() == "" {
			return errors.New("verb is not one of approve, decline, resubmit")
		}
		return nil
	}},
	{name: "session_id", text: func(x *action, s string) error {
		x.sessionID = s
		return kyc.Operation{UserID: "u", Verb: kyc.VerbApprove, SessionID: s, Operator: kyc.Operator{Actor: "a", Reason: "r"}}.Validate()
	}},
}, operatorFields...)

var erasureFields = append([]field[action]{
	{name: "legal_hold_checked", required: "true once you know that no law keeps this user's data", boolean: func(x *action, b bool) error {
		x.legalHoldChecked = b
		if !b {
			return errors.New("legal_hold_checked is false: an erasure needs true, once you know that no law keeps this user's data")
		}
		return nil
	}},
}, operatorFields...)

// operator names the actor. The name of the token comes first, so that no caller can act under another's name.
func (x action) operator(c *gin.Context) kyc.Operator {
	actor := by(c).Name
	if x.actor != "" {
		actor += ":" + x.actor
	}
	return kyc.Operator{Actor: actor, Reason: x.reason}
}

// act reads the body of an action and calls do with our timeout.
func (a *API) act(c *gin.Context, fields []field[action], example string, do func(ctx context.Context, userID string, x action)) {
	userID, ok := a.userOf(c, nil)
	if !ok {
		return
	}
	x, bad := readBody(c, fields, example)
	if bad == nil {
		if err := x.operator(c).Validate(); err != nil { // both names together may be too long
			bad = &refusal{invalidInput, details{fields: []FieldError{ruleBroken("actor", err)}}}
		}
	}
	if bad != nil {
		a.problem(c, bad.kind, bad.details)
		return
	}
	extend(c, a.o.Timeout)
	ctx, cancel := context.WithTimeout(c.Request.Context(), a.o.Timeout)
	defer cancel()
	do(ctx, userID, x)
}

// cancel ends an open verification. All cancellations of a run are one: a repeat gets the first one's answer.
func (a *API) cancel(c *gin.Context) { a.sendUpdate(c, a.o.Operators.Cancel) }

// refresh reads Didit's decision now.
func (a *API) refresh(c *gin.Context) { a.sendUpdate(c, a.o.Operators.Refresh) }

func (a *API) sendUpdate(c *gin.Context, send func(context.Context, string, ops.Request) (kyc.State, error)) {
	a.act(c, operatorFields, actionExample, func(ctx context.Context, userID string, x action) {
		state, err := send(ctx, userID, ops.Request{Operator: x.operator(c)})
		if err != nil {
			a.refuse(c, ctx, err)
			return
		}
		answer(c, http.StatusOK, shown(state, kyc.Session{}, ""))
	})
}

// decide sets a status at Didit, as a reviewer does in its console.
func (a *API) decide(c *gin.Context) {
	a.act(c, decisionFields, decisionExample, func(ctx context.Context, userID string, x action) {
		a.operate(c, ctx, kyc.Operation{UserID: userID, Verb: x.verb, Operator: x.operator(c), SessionID: x.sessionID})
	})
}

// erase deletes a user's data at Didit and Temporal.
func (a *API) erase(c *gin.Context) {
	a.act(c, erasureFields, erasureExample, func(ctx context.Context, userID string, x action) {
		a.operate(c, ctx, kyc.Operation{UserID: userID, Verb: kyc.VerbErase, Operator: x.operator(c), LegalHoldChecked: x.legalHoldChecked})
	})
}

// Operation is the answer to a decision and an erasure.
type Operation struct {
	kyc.OperationResult
	// Done is false with 202: the operation goes on, and the same request with the same Idempotency-Key waits for it.
	Done bool `json:"done"`
}

const headerIdempotency = "Idempotency-Key"

var idempotencyKey = regexp.MustCompile(`^[!-~]{1,255}$`)

// operations is the UUIDv5 namespace of the ids that are made of Idempotency-Keys. It must never change.
var operations = uuid.MustParse("3e1b7c56-6f0d-5b0c-9d5a-2f6a5f8f4f0e")

// operate carries out an operation once, however often it is sent with one Idempotency-Key.
func (a *API) operate(c *gin.Context, ctx context.Context, op kyc.Operation) {
	key := cmp.Or(c.GetHeader(headerIdempotency), newID())
	if !idempotencyKey.MatchString(key) {
		a.problem(c, invalidInput, details{fields: []FieldError{{headerIdempotency, "Idempotency-Key is not 1 to 255 visible ASCII characters; want a new UUID for each action"}}})
		return
	}
	c.Header(headerIdempotency, key)
	op.ID = uuid.NewSHA1(operations, []byte(strings.Join([]string{by(c).Name, op.UserID, string(op.Verb), op.SessionID, key}, "\x00"))).String()
	result, err := a.o.Operators.Operate(ctx, op)
	switch {
	case err == nil:
		write(c, http.StatusOK, Operation{result, true})
	case late(ctx, err) && a.o.Ready(c.Request.Context()) == nil:
		c.Header("Retry-After", strconv.Itoa(retryAfter))
		write(c, http.StatusAccepted, Operation{kyc.OperationResult{UserID: op.UserID, SessionID: op.SessionID, Verb: op.Verb}, false})
	default:
		a.refuse(c, ctx, err)
	}
}
