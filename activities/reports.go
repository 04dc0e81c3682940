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
	// Results is set if somebody is told the results.
	Results bool `json:"results,omitempty"`
}

// FindLastReport asks Temporal what was said about the session of a change before.
func (a *Activities) FindLastReport(ctx context.Context, in kyc.Change) (LastReport, error) {
	state, open, err := a.Reports.LastReport(ctx, in.UserID, in.Event.SessionID)
	return LastReport{State: state, Open: open, Results: a.Receiver != nil}, err
}

// ForwardEvent hands the event of a change to the user's open verification; false if there is none any more.
func (a *Activities) ForwardEvent(ctx context.Context, in kyc.Change) (bool, error) {
	return a.Reports.Forward(ctx, in.UserID, in.Event)
}
