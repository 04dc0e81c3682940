package activities

import (
	"context"

	"didit-temporal/kyc"
)

// LastReport is what was said about a session before.
type LastReport struct {
	// State is the newest that is known; its SessionID is empty if nothing is known any more.
	State kyc.State `json:"state"`
	// Open is set if a verification with this session is under way: the news is for it.
	Open bool `json:"open"`
	// RunID is the run of that verification.
	RunID string `json:"run_id,omitempty"`
	// Results is set if somebody is told the results.
	Results bool `json:"results,omitempty"`
}

// FindLastReport asks Temporal what was said about the session of a change before.
func (a *Activities) FindLastReport(ctx context.Context, in kyc.Change) (LastReport, error) {
	state, run, err := a.Reports.LastReport(ctx, in.UserID, in.Event.SessionID)
	return LastReport{State: state, Open: run != "", RunID: run, Results: a.Receiver != nil}, err
}

// ForwardEventInput names the run that the event of a change is for.
type ForwardEventInput struct {
	kyc.Change
	RunID string `json:"run_id,omitempty"` // empty is the user's newest
}

// ForwardEvent hands the event of a change to the open verification; false if that has ended meanwhile.
func (a *Activities) ForwardEvent(ctx context.Context, in ForwardEventInput) (bool, error) {
	return a.Reports.Forward(ctx, in.UserID, in.RunID, in.Event)
}
