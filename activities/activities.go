// Package activities calls Didit on behalf of a workflow: one call per activity, no retries of its own, and nothing
// about the person in what it returns, since that is written to the workflow's history.
package activities

import (
	"context"
	"encoding/json"
	"time"

	"go.temporal.io/sdk/activity"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Didit is the part of didit.Client that activities use.
type Didit interface {
	CreateSession(context.Context, didit.CreateSessionRequest) (didit.Session, error)
	Decision(ctx context.Context, sessionID string) (didit.Decision, error)
}

// Settings are the worker's. CreateSession hands them to the workflow, so that its history holds what it ran with.
type Settings struct {
	WorkflowID      string // Didit's flow where the input names none
	Environment     didit.Environment
	SessionDeadline time.Duration // how long the user may take to act
}

// Activities has one method per call to Didit. Register WriteActivities and ReadActivities on their queues.
type Activities struct {
	Didit    Didit
	Settings Settings
}

// CreateSessionInput asks for a session of a user.
type CreateSessionInput struct {
	UserID     string `json:"user_id"`
	WorkflowID string `json:"workflow_id,omitempty"` // empty takes the worker's
	Language   string `json:"language,omitempty"`
	ReturnURL  string `json:"return_url,omitempty"`
	Attempt    int    `json:"attempt"`
}

// CreatedSession is a session and the settings that its verification goes by from now on.
type CreatedSession struct {
	Session         kyc.Session       `json:"session"`
	WorkflowID      string            `json:"workflow_id"`
	Environment     didit.Environment `json:"environment"`
	DeadlineSeconds int64             `json:"deadline_seconds"`
}

// metadata marks a session at Didit as ours. Didit echoes it in webhooks and decisions.
type metadata struct {
	RunID   string `json:"temporal_run_id"`
	Attempt int    `json:"attempt"`
}

// CreateSession makes a session at Didit. Didit answers with the user's unfinished session if there is one.
// Its errors have the types of package kyc.
func (a *Activities) CreateSession(ctx context.Context, in CreateSessionInput) (CreatedSession, error) {
	flow := in.WorkflowID
	if flow == "" {
		flow = a.Settings.WorkflowID
	}
	ours, err := json.Marshal(metadata{RunID: activity.GetInfo(ctx).WorkflowExecution.RunID, Attempt: in.Attempt})
	if err != nil {
		return CreatedSession{}, err
	}
	s, err := a.Didit.CreateSession(ctx, didit.CreateSessionRequest{
		WorkflowID: flow, VendorData: in.UserID, Callback: in.ReturnURL, Language: in.Language, Metadata: ours,
	})
	if err != nil {
		return CreatedSession{}, classify(err)
	}
	return CreatedSession{
		Session:         kyc.Session{SessionID: s.ID, SessionToken: s.Token, URL: s.URL, Status: s.Status},
		WorkflowID:      flow,
		Environment:     a.Settings.Environment,
		DeadlineSeconds: int64(a.Settings.SessionDeadline / time.Second),
	}, nil
}

// ReadDecisionInput names a session and what its decision must agree with.
type ReadDecisionInput struct {
	SessionID   string            `json:"session_id"`
	UserID      string            `json:"user_id"`
	WorkflowID  string            `json:"workflow_id"`
	Environment didit.Environment `json:"environment"`
}

// Decision is what a workflow may know of Didit's decision.
type Decision struct {
	Status   didit.Status `json:"status"`
	Checks   []kyc.Check  `json:"checks"`
	Warnings []string     `json:"warnings"`
	// Foreign names the fields in which the decision is not about the session that was asked for. The values stay at
	// Didit: somebody else's vendor_data may be personal. A foreign decision says nothing about this user.
	Foreign []string `json:"foreign,omitempty"`
}

// ReadDecision reads Didit's decision on a session, the authority on its status.
// Its errors have the types of package kyc.
func (a *Activities) ReadDecision(ctx context.Context, in ReadDecisionInput) (Decision, error) {
	d, err := a.Didit.Decision(ctx, in.SessionID)
	if err != nil {
		return Decision{}, classify(err)
	}
	if foreign := differences(in, d); len(foreign) > 0 {
		return Decision{Foreign: foreign}, nil
	}
	checks := make([]kyc.Check, len(d.Checks))
	for i, c := range d.Checks {
		checks[i] = kyc.Check{Feature: c.Feature, Status: c.Status}
	}
	return Decision{Status: d.Status, Checks: checks, Warnings: d.Warnings}, nil
}

// differences names the fields in which d is not what in asks for. Older payloads carry no environment.
func differences(in ReadDecisionInput, d didit.Decision) []string {
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"session_id", d.SessionID == in.SessionID},
		{"vendor_data", d.VendorData == in.UserID},
		{"workflow_id", d.WorkflowID == in.WorkflowID},
		{"environment", d.Environment == "" || d.Environment == in.Environment},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}
