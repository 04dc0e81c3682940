// Package didit is a client of Didit (didit.me), the identity-verification provider, with its v3 API, and a
// verifier of its webhooks. It uses the standard library only and does not depend on Temporal.
package didit

import "slices"

// DefaultBaseURL is the host of Didit's verification API (https://docs.didit.me/sessions-api/create-session).
const DefaultBaseURL = "https://verification.didit.me"

// Status is the status of a session, one of ten exact, case-sensitive strings
// (https://docs.didit.me/integration/verification-statuses). Didit may add more: see Known.
type Status string

// The ten statuses of a session.
const (
	StatusNotStarted   Status = "Not Started"
	StatusInProgress   Status = "In Progress"
	StatusAwaitingUser Status = "Awaiting User"
	StatusInReview     Status = "In Review"
	StatusApproved     Status = "Approved"
	StatusDeclined     Status = "Declined"
	StatusResubmitted  Status = "Resubmitted"
	StatusAbandoned    Status = "Abandoned"
	StatusExpired      Status = "Expired"
	StatusKycExpired   Status = "Kyc Expired"
)

var statuses = [...]Status{
	StatusNotStarted, StatusInProgress, StatusAwaitingUser, StatusInReview, StatusApproved,
	StatusDeclined, StatusResubmitted, StatusAbandoned, StatusExpired, StatusKycExpired,
}

// Statuses returns the ten documented statuses.
func Statuses() []Status { return slices.Clone(statuses[:]) }

// Known reports whether s is one of the ten documented statuses.
func (s Status) Known() bool { return slices.Contains(statuses[:], s) }

// Environment is whether a session is real or of a sandbox application
// (https://docs.didit.me/integration/sandbox-testing).
type Environment string

// The two environments. Didit's older payloads carry none.
const (
	EnvironmentLive    Environment = "live"
	EnvironmentSandbox Environment = "sandbox"
)

// Webhook event types that concern a session (https://docs.didit.me/integration/webhooks).
const (
	EventStatusUpdated = "status.updated"
	EventDataUpdated   = "data.updated"
)
