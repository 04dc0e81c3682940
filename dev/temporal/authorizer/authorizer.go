// Package authorizer is a sample plugin for a Temporal server of your own. It lets each process of ours do what it needs, so that
// the one that faces the internet can decide nothing about a user, even when an attacker has taken it over. See
// deploy/temporal/authorizer/README.md.
package authorizer

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/authorization"
)

// Names on the wire, as docs/reference/temporal.md lists them. They never change, and a server does not link our processes.
const (
	typeVerification = "Verification"
	signalEvent      = "didit-event"
	updateRefresh    = "refresh"
	updateSession    = "session"
)

// verificationID is the id of a user's verification. That of an operation has a tilde, which no user id has.
var verificationID = regexp.MustCompile(`^kyc-[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// Role is what a caller of the server is.
type Role string

// The roles. A caller without one may do nothing.
const (
	Webhook  Role = "kyc-webhook"  // hands events to verifications, and begins runs that only read at Didit
	API      Role = "kyc-api"      // starts verifications and reads them
	Worker   Role = "kyc-worker"   // works: may write in its namespace
	Operator Role = "kyc-operator" // people and the server itself: may do everything
)

// Authorizer decides by role. Namespace is the one that Webhook, API and Worker may use.
type Authorizer struct{ Namespace string }

var (
	allow = authorization.Result{Decision: authorization.DecisionAllow}
	deny  = authorization.Result{Decision: authorization.DecisionDeny, Reason: "not for this role"}
)

// Authorize implements authorization.Authorizer.
func (a Authorizer) Authorize(ctx context.Context, claims *authorization.Claims, target *authorization.CallTarget) (authorization.Result, error) {
	if authorization.IsHealthCheckAPI(target.APIName) {
		return allow, nil
	}
	if claims == nil {
		return deny, nil
	}
	if isServer(claims) {
		return allow, nil
	}
	role, _ := claims.Extensions.(Role)
	if role != Operator && target.Namespace != a.Namespace {
		return deny, nil
	}
	allowed := false
	switch role {
	case Operator:
		allowed = true
	case Worker: // what Temporal calls a writer of the namespace: no administration
		writer := &authorization.Claims{Namespaces: map[string]authorization.Role{a.Namespace: authorization.RoleWriter}}
		return authorization.NewDefaultAuthorizer().Authorize(ctx, writer, target)
	case API:
		allowed = ofAPI(target.Request)
	case Webhook:
		allowed = ofWebhook(target.Request)
	}
	if allowed {
		return allow, nil
	}
	return deny, nil
}

// ofWebhook reports whether the webhook needs to send a request.
func ofWebhook(request any) bool {
	switch r := request.(type) {
	case *workflowservice.DescribeNamespaceRequest, *workflowservice.DescribeTaskQueueRequest: // readiness; who polls
		return true
	case *workflowservice.DescribeWorkflowExecutionRequest: // is an event about the session of the newest run?
		return verificationID.MatchString(r.GetExecution().GetWorkflowId())
	case *workflowservice.UpdateWorkflowExecutionRequest: // a run that takes no more signals reads Didit's decision instead
		return verificationID.MatchString(r.GetWorkflowExecution().GetWorkflowId()) && r.GetRequest().GetInput().GetName() == updateRefresh
	case *workflowservice.SignalWorkflowExecutionRequest:
		return r.GetSignalName() == signalEvent && verificationID.MatchString(r.GetWorkflowExecution().GetWorkflowId())
	case *workflowservice.SignalWithStartWorkflowExecutionRequest:
		return r.GetSignalName() == signalEvent && verificationID.MatchString(r.GetWorkflowId()) &&
			r.GetWorkflowType().GetName() == typeVerification && resumes(r.GetInput())
	}
	return false
}

// resumes reports whether a run with this input makes no session by itself.
func resumes(input *commonpb.Payloads) bool {
	var in struct {
		Resume bool `json:"resume"`
	}
	payloads := input.GetPayloads()
	return len(payloads) == 1 && json.Unmarshal(payloads[0].GetData(), &in) == nil && in.Resume
}

// ofAPI reports whether the API needs to send a request.
func ofAPI(request any) bool {
	switch r := request.(type) {
	case *workflowservice.DescribeNamespaceRequest, *workflowservice.DescribeTaskQueueRequest, *workflowservice.ListWorkflowExecutionsRequest,
		*workflowservice.CountWorkflowExecutionsRequest, *workflowservice.DescribeWorkflowExecutionRequest,
		*workflowservice.GetWorkflowExecutionHistoryRequest, *workflowservice.QueryWorkflowRequest, *workflowservice.PollWorkflowExecutionUpdateRequest:
		return true
	case *workflowservice.UpdateWorkflowExecutionRequest:
		return asksForSession(r)
	case *workflowservice.ExecuteMultiOperationRequest:
		return !slices.ContainsFunc(r.GetOperations(), func(o *workflowservice.ExecuteMultiOperationRequest_Operation) bool {
			start, update := o.GetStartWorkflow(), o.GetUpdateWorkflow()
			return start != nil && (start.GetWorkflowType().GetName() != typeVerification || !verificationID.MatchString(start.GetWorkflowId())) ||
				update != nil && !asksForSession(update)
		})
	}
	return false
}

// asksForSession reports whether an update is one that a signup service needs, and not one of an operator.
func asksForSession(r *workflowservice.UpdateWorkflowExecutionRequest) bool {
	name := r.GetRequest().GetInput().GetName()
	return verificationID.MatchString(r.GetWorkflowExecution().GetWorkflowId()) && name == updateSession
}
