// Package activities acts on behalf of a workflow: one call per activity, no retries of its own, and nothing about the
// person in what it returns, since that is written to the workflow's history.
package activities

import (
	"context"
	"time"

	"didit-temporal/didit"
	"didit-temporal/kyc"
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

// Reports is what was said about a session before; kyc.Client is one.
type Reports interface {
	// LastReport returns what was said about a session of the user last, and the run of an open verification with it. The
	// zero State means that nothing is known any more.
	LastReport(ctx context.Context, userID, sessionID string) (last kyc.State, openRun string, err error)
	// Forward hands an event to a run of the user's verification, or to the newest; false if that is not open any more.
	Forward(ctx context.Context, userID, runID string, ev kyc.DiditEvent) (bool, error)
}

// Settings are the worker's. They reach a workflow with the session, as Terms, so that its history holds what it ran with.
type Settings struct {
	WorkflowID      string // Didit's flow where the input names none
	Environment     didit.Environment
	SessionDeadline time.Duration // how long the user may take to act
	ReconcileAfter  time.Duration // when to look at Didit first, if no webhook came
	SessionCap      int           // sessions per user in CapWindow
}

// CapWindow is the time over which SessionCap counts.
const CapWindow = 30 * 24 * time.Hour

// Activities calls Didit and asks Temporal. Calls to Didit are registered on the queue of their limit: CreateSession,
// SetStatus, DeleteSession, EraseSession and EraseUser on kyc.TaskQueueDiditWrite, ReadDecision, ListSessions,
// ListAllSessions, AdoptSession and FindReview on kyc.TaskQueueDiditRead; the rest on kyc.TaskQueue.
type Activities struct {
	Didit      Didit
	Reports    Reports
	Operations Operations
	Erasures   Erasures
	Settings   Settings
	// Receiver is told the results; nil for nobody.
	Receiver *Receiver
	// Spread returns a number in [0, 1), another one for each user; nil is the middle.
	Spread func() float64
}

// Terms are what a verification goes by from its session on.
type Terms struct {
	WorkflowID      string            `json:"workflow_id"`
	Environment     didit.Environment `json:"environment"`
	DeadlineSeconds int64             `json:"deadline_seconds"`
	// Looks at Didit come ReconcileSeconds after the start, then at twice that interval, and so on up to
	// ReconcileMaxSeconds. Both are lengthened by 5 to 25 %, so that users who started together spread.
	ReconcileSeconds    int64 `json:"reconcile_seconds"`
	ReconcileMaxSeconds int64 `json:"reconcile_max_seconds"`
	// Results is set if somebody is told the results.
	Results bool `json:"results,omitempty"`
}

// reconcileMax is the longest interval between two looks at Didit, before it is lengthened.
const reconcileMax = 24 * time.Hour

func (a *Activities) terms(flow string) Terms {
	spread := 0.5
	if a.Spread != nil {
		spread = a.Spread()
	}
	lengthen := func(d time.Duration) int64 { return int64(d.Seconds() * (1.05 + 0.2*spread)) }
	return Terms{
		WorkflowID: a.flow(flow), Environment: a.Settings.Environment,
		DeadlineSeconds:     int64(a.Settings.SessionDeadline / time.Second),
		ReconcileSeconds:    max(1, lengthen(a.Settings.ReconcileAfter)),
		ReconcileMaxSeconds: max(1, lengthen(max(reconcileMax, a.Settings.ReconcileAfter))),
		Results:             a.Receiver != nil,
	}
}

// flow is Didit's flow for an input that may name one.
func (a *Activities) flow(named string) string {
	if named != "" {
		return named
	}
	return a.Settings.WorkflowID
}
