package activities

import (
	"cmp"
	"context"
	"strings"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// ReadDecisionInput names a session and what its decision must agree with.
type ReadDecisionInput struct {
	SessionID string `json:"session_id"`
	UserID    string `json:"user_id"`
	// WorkflowID is Didit's flow; empty takes any.
	WorkflowID string `json:"workflow_id,omitempty"`
	// Environment is that of the verification; empty takes the worker's.
	Environment didit.Environment `json:"environment,omitempty"`
	// Ours requires metadata of this deployment, or a session that an earlier run of the user followed. A workflow does not
	// require it of the session that it follows: another program may have overwritten the metadata.
	Ours bool `json:"ours,omitempty"`
	// Link asks for the session's URL and token, and for its metadata.
	Link bool `json:"link,omitempty"`
	// RunID is the run whose id the workflow uses; if empty, ReadDecision does not check whether the run was reset.
	RunID string `json:"run_id,omitempty"`
}

// Decision is the part of Didit's decision that a workflow may know.
type Decision struct {
	Status     didit.Status `json:"status"`
	WorkflowID string       `json:"workflow_id,omitempty"`
	Checks     []kyc.Check  `json:"checks,omitempty"`
	Warnings   []string     `json:"warnings,omitempty"`
	// Metadata and Session are set for Link.
	Metadata kyc.SessionMetadata `json:"metadata,omitzero"`
	Session  kyc.Session         `json:"session,omitzero"`
	// Foreign names the fields that differ from the session that was asked for. The values stay at Didit: another person's
	// vendor_data may be personal. A foreign decision says nothing about this user.
	Foreign []string `json:"foreign,omitempty"`
	// Reset is set if the run is not RunID: the runs before may have reported what is no longer true.
	Reset *SentResult `json:"reset,omitempty"`
}

// ReadDecision reads Didit's decision on a session, the authority on its status.
// Its errors have the types of package kyc.
func (a *Activities) ReadDecision(ctx context.Context, in ReadDecisionInput) (Decision, error) {
	in.Environment = cmp.Or(in.Environment, a.Settings.Environment)
	d, err := a.Didit.Decision(ctx, in.SessionID)
	if err != nil {
		return Decision{}, classify(err)
	}
	metadata := kyc.MetadataOf(d.Metadata)
	if in.Ours && metadata.Deployment != a.Settings.Deployment {
		followed, err := a.followedBefore(ctx, in)
		if err != nil {
			return Decision{}, err
		}
		in.Ours = !followed
	}
	if foreign := a.differences(in, d, metadata); len(foreign) > 0 {
		return Decision{Foreign: foreign}, nil
	}
	out := Decision{Status: d.Status, WorkflowID: d.WorkflowID, Warnings: d.Warnings}
	for _, c := range d.Checks {
		out.Checks = append(out.Checks, kyc.Check{Feature: c.Feature, Status: c.Status})
	}
	if in.Link {
		out.Metadata = metadata
		out.Session = kyc.Session{
			SessionID: in.SessionID, SessionToken: tokenOf(d.SessionURL), URL: d.SessionURL, Status: d.Status, WorkflowID: d.WorkflowID,
		}
	}
	if in.RunID != "" && a.Callbacks != nil {
		out.Reset, err = a.afterReset(ctx, in.UserID, in.RunID)
	}
	return out, err
}

// followedBefore reports whether an earlier run of the user followed the session. Didit overwrites the metadata of an
// unfinished session when another deployment asks for one of the same user (docs.didit.me/sessions-api/create-session).
func (a *Activities) followedBefore(ctx context.Context, in ReadDecisionInput) (bool, error) {
	if a.Runs == nil {
		return false, nil
	}
	last, err := a.predecessor(ctx, in.UserID)
	return strings.EqualFold(last.State.SessionID, in.SessionID), err
}

// differences names the fields in which d differs from what in asks for. Older payloads carry no environment.
func (a *Activities) differences(in ReadDecisionInput, d didit.Decision, metadata kyc.SessionMetadata) []string {
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"session_id", strings.EqualFold(d.SessionID, in.SessionID)},
		{"vendor_data", d.VendorData == in.UserID},
		{"workflow_id", in.WorkflowID == "" || strings.EqualFold(d.WorkflowID, in.WorkflowID)},
		{"metadata", !in.Ours || metadata.Deployment == a.Settings.Deployment},
		{"environment", d.Environment == "" || d.Environment == in.Environment},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}
