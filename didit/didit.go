// Package didit speaks to Didit (didit.me), the identity-verification provider: a client of its v3 API and a
// verifier of its webhooks. It uses the standard library only and knows nothing of Temporal.
package didit

// DefaultBaseURL is the host of Didit's verification API (https://docs.didit.me/sessions-api/create-session).
const DefaultBaseURL = "https://verification.didit.me"

// Status is the status of a session, one of ten exact, case-sensitive strings
// (https://docs.didit.me/integration/verification-statuses). Didit may add more; Known tells.
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

// Statuses lists the ten known statuses.
func Statuses() []Status {
	return []Status{
		StatusNotStarted, StatusInProgress, StatusAwaitingUser, StatusInReview, StatusApproved,
		StatusDeclined, StatusResubmitted, StatusAbandoned, StatusExpired, StatusKycExpired,
	}
}

// Known reports whether s is one of the ten documented statuses.
func (s Status) Known() bool {
	switch s {
	case StatusNotStarted, StatusInProgress, StatusAwaitingUser, StatusInReview, StatusApproved,
		StatusDeclined, StatusResubmitted, StatusAbandoned, StatusExpired, StatusKycExpired:
		return true
	}
	return false
}

// Environment tells real sessions from those of a sandbox application
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
