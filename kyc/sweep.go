package kyc

import "time"

// WorkflowSweep is the type of the workflow that finds the events which Didit could not deliver to the webhook, and delivers
// them. One schedule per deployment starts it.
const WorkflowSweep = "Sweep"

// SweepState says how a sweep ended.
type SweepState string

// The ends of a sweep.
const (
	SweepDone       SweepState = "done"       // it has read all deliveries up to now
	SweepPartial    SweepState = "partial"    // there were more than one sweep may read: the next one continues
	SweepUnreadable SweepState = "unreadable" // Didit refuses to show deliveries: SweepResult.ErrorType says why
)

// SweepResult is what a sweep has found, and where the next one continues. It holds counts, times, ids of destinations
// and hashes of ids of sessions, nothing about users.
type SweepResult struct {
	State SweepState `json:"state"`
	// ErrorType is one of the ErrorType constants when State is unreadable.
	ErrorType string `json:"error_type,omitempty"`
	Reads     int    `json:"reads"` // calls to Didit
	Found     int    `json:"found"` // lost events that were delivered
	// Cursors has one for each destination that is enabled.
	Cursors []SweepCursor `json:"cursors,omitempty"`
}

// SweepCursor is where the next sweep of a destination continues.
type SweepCursor struct {
	Destination string `json:"destination"`
	// From is the time before which all attempts have been read.
	From time.Time `json:"from"`
	// Read is how many attempts a partial sweep has read, from that of Mark backwards.
	Read int       `json:"read,omitempty"`
	Mark time.Time `json:"mark,omitzero"`
	// Handed are the sessions of which an event was delivered, where the next sweep will read the same attempts again.
	Handed []SweptSession `json:"handed,omitempty"`
}

// SweptSession is a session of which a sweep has delivered an event.
type SweptSession struct {
	Key string    `json:"key"` // stands for the session's id
	At  time.Time `json:"at"`  // of the attempt to deliver the event
}
