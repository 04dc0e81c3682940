package activities

import (
	"context"
	"strings"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// ReadDecisionInput names a session and what its decision must agree with.
type ReadDecisionInput struct {
	SessionID string `json:"session_id"`
	UserID    string `json:"user_id"`
	// WorkflowID is Didit's flow. Empty asks instead that the session be one of ours, of any flow.
	WorkflowID string `json:"workflow_id,omitempty"`
	// Environment is that of the verification; empty takes the worker's.
	Environment didit.Environment `json:"environment,omitempty"`
}

// Decision is what a workflow may know of Didit's decision.
type Decision struct {
	Status   didit.Status `json:"status"`
	Checks   []kyc.Check  `json:"checks"`
	Warnings []string     `json:"warnings"`
	Attempt  int          `json:"attempt,omitempty"` // as the session's metadata says
	// Foreign names the fields in which the decision is not about the session that was asked for. The values stay at
	// Didit: somebody else's vendor_data may be personal. A foreign decision says nothing about this user.
	Foreign []string `json:"foreign,omitempty"`
}

// ReadDecision reads Didit's decision on a session, the authority on its status.
// Its errors have the types of package kyc.
func (a *Activities) ReadDecision(ctx context.Context, in ReadDecisionInput) (Decision, error) {
	if in.Environment == "" {
		in.Environment = a.Settings.Environment
	}
	d, err := a.Didit.Decision(ctx, in.SessionID)
	if err != nil {
		return Decision{}, a.classify(err)
	}
	if foreign := differences(in, d); len(foreign) > 0 {
		return Decision{Foreign: foreign}, nil
	}
	checks := make([]kyc.Check, len(d.Checks))
	for i, c := range d.Checks {
		checks[i] = kyc.Check{Feature: c.Feature, Status: c.Status}
	}
	return Decision{Status: d.Status, Checks: checks, Warnings: d.Warnings, Attempt: kyc.MetadataOf(d.Metadata).Attempt}, nil
}

// differences names the fields in which d is not what in asks for. Older payloads carry no environment.
func differences(in ReadDecisionInput, d didit.Decision) []string {
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"session_id", strings.EqualFold(d.SessionID, in.SessionID)},
		{"vendor_data", d.VendorData == in.UserID},
		{"workflow_id", in.WorkflowID == "" || strings.EqualFold(d.WorkflowID, in.WorkflowID)},
		{"metadata", in.WorkflowID != "" || kyc.MetadataOf(d.Metadata).RunID != ""},
		{"environment", d.Environment == "" || d.Environment == in.Environment},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}
