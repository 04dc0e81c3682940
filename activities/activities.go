// Package activities acts on behalf of a workflow: one call per activity, no retries of its own, and no personal data in what
// it returns, since that is written to the workflow's history.
package activities

import (
	"cmp"
	"context"
	"time"

	"didit-temporal/didit"
)

// Didit is the part of didit.Client that activities use.
type Didit interface {
	CreateSession(context.Context, didit.CreateSessionRequest) (didit.Session, error)
	Decision(ctx context.Context, sessionID string) (didit.Decision, error)
	ListSessions(context.Context, didit.ListSessionsRequest) (didit.SessionPage, error)
	UpdateStatus(ctx context.Context, sessionID string, r didit.UpdateStatusRequest) error
	DeleteSession(ctx context.Context, sessionID string, r didit.DeleteSessionRequest) (didit.DeletedSession, error)
	Reviews(ctx context.Context, sessionID string) ([]didit.Review, error)
	SessionsOf(ctx context.Context, vendorData string) ([]didit.SessionSummary, error)
	DeleteUser(ctx context.Context, vendorData string) (int, error)
}

// Settings are the worker's. They reach a workflow as its SessionPolicy, so that its history holds what it ran with.
type Settings struct {
	WorkflowID      string // Didit's flow where the input names none
	Deployment      string // whose sessions are ours, where several deployments share a Didit application
	Environment     didit.Environment
	SessionDeadline time.Duration // how long the user may take to act
	ReconcileAfter  time.Duration // when to poll Didit first, if no webhook came
	SessionCap      int           // sessions per user in CapWindow
}

// CapWindow is the time over which SessionCap counts.
const CapWindow = 30 * 24 * time.Hour

// Activities calls Didit and asks Temporal. Calls to Didit are registered on the queue of their limit: CreateSession,
// SetStatus, DeleteSession, EraseSession and EraseUser on kyc.TaskQueueDiditWrite, ReadDecision, ListSessions,
// ListAllSessions, FindReview, ListDestinations, FindLost and HandOn on kyc.TaskQueueDiditRead; the rest on kyc.TaskQueue.
type Activities struct {
	Didit      Didit
	Runs       Runs
	Operations Operations
	Erasures   Erasures
	Deliveries Deliveries
	Settings   Settings
	// Callbacks posts results; nil where there is no callback endpoint.
	Callbacks *CallbackSender
	// Spread returns a random number in [0, 1) for each user, which spreads their polls; nil takes 0.5.
	Spread func() float64
}

// SessionPolicy are the settings that a verification keeps from its session on.
type SessionPolicy struct {
	WorkflowID      string            `json:"workflow_id"`
	Environment     didit.Environment `json:"environment"`
	DeadlineSeconds int64             `json:"deadline_seconds"`
	// Didit is polled ReconcileSeconds after the start, then at twice that interval, and so on up to ReconcileMaxSeconds.
	// Both are lengthened by 5 to 25 %, so that users who started together spread.
	ReconcileSeconds    int64 `json:"reconcile_seconds"`
	ReconcileMaxSeconds int64 `json:"reconcile_max_seconds"`
	// Callbacks is set if there is a callback endpoint.
	Callbacks bool `json:"callbacks,omitempty"`
}

// UserInput names a user.
type UserInput struct {
	UserID string `json:"user_id"`
}

// reconcileMax is the longest interval between two polls, before it is lengthened.
const reconcileMax = 24 * time.Hour

// policy is that of a session of the named flow; empty takes the worker's.
func (a *Activities) policy(flow string) SessionPolicy {
	spread := 0.5
	if a.Spread != nil {
		spread = a.Spread()
	}
	lengthen := func(d time.Duration) int64 { return int64(d.Seconds() * (1.05 + 0.2*spread)) }
	return SessionPolicy{
		WorkflowID: cmp.Or(flow, a.Settings.WorkflowID), Environment: a.Settings.Environment,
		DeadlineSeconds:     int64(a.Settings.SessionDeadline / time.Second),
		ReconcileSeconds:    max(1, lengthen(a.Settings.ReconcileAfter)),
		ReconcileMaxSeconds: max(1, lengthen(max(reconcileMax, a.Settings.ReconcileAfter))),
		Callbacks:           a.Callbacks != nil,
	}
}
