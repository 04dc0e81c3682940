package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// Problem is RFC 9457's answer to a request that did not succeed.
type Problem struct {
	Type   string `json:"type"` // relative to the API: GET it for its explanation
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Instance is the request's id as a URN, where it is a UUID.
	Instance  string `json:"instance,omitempty"`
	RequestID string `json:"request_id"`
	// ErrorType is one of kyc's, or of this package's, where something behind the API failed.
	ErrorType string       `json:"error_type,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// Error types beside those of kyc.
const (
	ErrorTypeTemporal = "TemporalUnavailable" // Temporal cannot be reached or did not accept the request
	ErrorTypeWorker   = "WorkerUnavailable"   // no worker answered in time
)

// problems is where the types of problems are explained.
const problems = "/problems/"

// kind is a type of problem. Its name is part of the API: added, never changed.
type kind struct {
	name   string
	status int
	title  string
	advice string // what to do about it
	retry  int    // seconds until a retry makes sense; 0: never unchanged
}

var (
	invalidInput = kind{"invalid-input", 400, "The request breaks a rule",
		"`errors` names each field and a valid form. Fix the request: sent again unchanged, it fails again.", 0}
	unauthorized = kind{"unauthorized", 401, "No valid token",
		"Send `Authorization: Bearer TOKEN` with a token of STARTER_TOKENS.", 0}
	forbidden = kind{"forbidden", 403, "The token may not do this",
		"`detail` names the scope, the flow or the host that the token's entry in STARTER_TOKENS lacks. Use another token, or ask the operator to add it.", 0}
	noRoute = kind{"no-such-route", 404, "There is no such route",
		"GET /openapi.json describes all routes.", 0}
	notFound = kind{"no-such-verification", 404, "The user has no verification",
		"It was never started, or it ended longer ago than Temporal keeps it. POST " + Path + " starts one.", 0}
	noMethod = kind{"method-not-allowed", 405, "The route has no such method",
		"The header Allow names those that it has.", 0}
	sessionCap = kind{"session-cap", 409, "The user has had too many sessions",
		"Nothing was started: SESSION_CAP sessions in 30 days is the limit. Wait, or ask the operator to raise it.", 0}
	ended = kind{"verification-ended", 409, "The verification ended without a result",
		"It was cancelled or erased (`error_type` Cancelled or Erased) or terminated in Temporal, or it failed by a fault; its history " +
			"shows why. POST " + Path + " starts a new one.", 0}
	paused = kind{"paused", 409, "An operator has paused the verification",
		"Unpause the workflow in Temporal, then send the request again.", 0}
	occupied = kind{"id-taken", 409, "Another program has taken the user's workflow id",
		"Terminate that workflow in Temporal, then send the request again.", 0}
	otherFlow = kind{"other-flow", 409, "The user's verification is of another flow",
		"`detail` names both flows. Leave workflow_id out to take the verification as it is, or set reverify for a session of the other flow.", 0}
	refused = kind{"refused", 409, "The action is not possible in this state",
		"`detail` names the state: the verification has ended, has no session, or Didit does not allow this change of the session.", 0}
	tooLarge = kind{"body-too-large", 413, "The body is too large",
		"An input has a few short fields; send nothing else.", 0}
	unsupportedMedia = kind{"unsupported-media-type", 415, "The body is not plain JSON",
		"Send UTF-8 with `Content-Type: application/json`, not compressed.", 0}
	rejected = kind{"rejected-by-didit", 422, "Didit refused the request",
		"The verification has failed: check workflow_id, language and return_url, then POST again.", 0}
	shareUsed = kind{"share-used-up", 429, "The caller has too many requests in flight",
		"The token's name has as many starts or waiting requests at this process as its limit allows. Send it again after Retry-After.", retryAfter}
	internal = kind{"internal-error", 500, "The API has a fault",
		"Report the request_id to the operator. A POST may be sent again.", 0}
	temporalUnavailable = kind{"temporal-unavailable", 503, "The request was not accepted",
		"`error_type` says whether Temporal (TemporalUnavailable) or a worker (WorkerUnavailable) did not answer. Send the same " +
			"request again after Retry-After: it joins what may have started, and starts nothing twice.", retryAfter}
	diditUnavailable = kind{"didit-unavailable", 503, "Didit makes no sessions",
		"`error_type` names the cause: DiditUnavailable, DiditRateLimited, DiditUnauthorized or DiditOutOfCredit. The operator may have to act. " +
			"Send the same request again later.", 60}
	tooManyWaiting = kind{"too-many-waiting", 503, "Too many requests wait",
		"The process has reached its limit of requests with ?wait=. Send it again after Retry-After, or without wait; or receive " +
			"results by callback (RESULT_URL). The operator may run more replicas.", retryAfter}

	kinds = []kind{
		invalidInput, unauthorized, forbidden, noRoute, notFound, noMethod, sessionCap, ended, paused, occupied, otherFlow, refused, tooLarge, unsupportedMedia, rejected,
		shareUsed, internal, temporalUnavailable, diditUnavailable, tooManyWaiting,
	}
)

// details are what one problem has beside its kind.
type details struct {
	detail    string // default: from the fields, else the kind's advice
	errorType string
	fields    []FieldError
	cause     error // for the log only
}

func (t details) text(k kind) string {
	switch {
	case t.detail != "":
		return t.detail
	case len(t.fields) == 1:
		return t.fields[0].Detail
	case len(t.fields) > 1:
		return fmt.Sprintf("%d mistakes; errors lists them", len(t.fields))
	}
	return k.advice
}

// problem ends a request with a problem document.
func (a *API) problem(c *gin.Context, k kind, t details) {
	if t.cause != nil {
		_ = c.Error(t.cause)
	}
	if k.retry > 0 {
		c.Header("Retry-After", strconv.Itoa(k.retry))
	}
	id := c.GetString(keyRequest)
	p := Problem{
		Type: problems + k.name, Title: k.title, Status: k.status, Detail: t.text(k), RequestID: id, ErrorType: t.errorType, Errors: t.fields,
	}
	if uuid.Validate(id) == nil {
		p.Instance = "urn:uuid:" + id
	}
	c.Abort()
	c.Header("Content-Type", "application/problem+json") // a renderer keeps what is set
	c.Header("Cache-Control", "no-store")
	c.PureJSON(k.status, p)
}

// refuse turns an error of the verification into a problem. ctx is the one that the call had.
func (a *API) refuse(c *gin.Context, ctx context.Context, err error) {
	k, t := problemOf(err)
	var read *readError
	tooLate := late(ctx, err) || errors.As(err, &read) && read.late
	if t.errorType == ErrorTypeTemporal && tooLate && a.o.Ready(c.Request.Context()) == nil {
		t.errorType, t.detail = ErrorTypeWorker, "no worker answered in time; send the same request again, it starts nothing twice"
	}
	t.cause = err
	a.problem(c, k, t)
}

// kindsOfErrors maps each error type of a verification or an operation to a kind. Another one is a fault of ours.
var kindsOfErrors = map[string]kind{
	"":                        ended,
	kyc.ErrorTypeCancelled:    ended,
	kyc.ErrorTypeErased:       ended,
	kyc.ErrorTypeSessionCap:   sessionCap,
	kyc.ErrorTypeRefused:      refused,
	kyc.ErrorTypeLegalHold:    refused,
	kyc.ErrorTypeRejected:     rejected,
	kyc.ErrorTypeNotFound:     rejected,
	kyc.ErrorTypeInvalidInput: rejected,
	kyc.ErrorTypeRateLimited:  diditUnavailable,
	kyc.ErrorTypeUnavailable:  diditUnavailable,
	kyc.ErrorTypeUnauthorized: diditUnavailable,
	kyc.ErrorTypeOutOfCredit:  diditUnavailable,
}

func problemOf(err error) (kind, details) {
	var session *kyc.SessionError
	var operation *ops.OperationError
	var run *kyc.RunError
	var flow *kyc.FlowError
	switch {
	case errors.As(err, &session):
		return kindOf(session.Type), details{errorType: session.Type, detail: hint(session.Type)}
	case errors.As(err, &operation) && operation.Type == kyc.ErrorTypeRefused:
		return refused, details{errorType: operation.Type, detail: operation.Message}
	case errors.As(err, &operation):
		return kindOf(operation.Type), details{errorType: operation.Type, detail: hint(operation.Type)}
	case errors.As(err, &run):
		return kindsOfRuns[run.Reason], details{detail: run.Error()}
	case errors.As(err, &flow):
		return otherFlow, details{detail: flow.Error()}
	case errors.Is(err, kyc.ErrNotFound):
		return notFound, details{}
	case errors.Is(err, kyc.ErrInvalidInput):
		return invalidInput, details{fields: []FieldError{ruleBroken("", err)}}
	}
	detail := "Temporal did not accept the request; send the same request again, it starts nothing twice"
	return temporalUnavailable, details{errorType: ErrorTypeTemporal, detail: cmp.Or(kyc.Cause(err), detail)}
}

// kindsOfRuns maps the reasons of a run that cannot answer.
var kindsOfRuns = map[kyc.RunErrorReason]kind{kyc.RunEnded: ended, kyc.RunPaused: paused, kyc.RunOccupied: occupied}

func kindOf(errorType string) kind { return cmp.Or(kindsOfErrors[errorType], internal) }

// hint is empty without an error type: the kind's advice says more.
func hint(errorType string) string {
	if errorType == "" {
		return ""
	}
	return kyc.Hint(errorType)
}

// serveProblem explains a type of problem at its link.
func serveProblem(c *gin.Context) {
	for _, k := range kinds {
		if k.name == c.Param("name") {
			c.String(http.StatusOK, "%s (%d)\n\n%s\n", k.title, k.status, k.advice)
			return
		}
	}
	c.String(http.StatusNotFound, "There is no problem of that name; GET /openapi.json lists them.\n")
}
