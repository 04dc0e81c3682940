package receiver

import (
	"github.com/google/uuid"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// loggable keeps only ids of a known form: an event that is not ours may hold anything.
func loggable(ev kyc.DiditEvent) kyc.DiditEvent {
	out := kyc.DiditEvent{CreatedAt: ev.CreatedAt, EventID: ev.EventID} // ours: kyc.FromDidit makes it a UUID
	if documented(ev.Type) {
		out.Type = ev.Type
	}
	if uuid.Validate(ev.SessionID) == nil {
		out.SessionID = ev.SessionID
	}
	if ev.Status.Known() {
		out.Status = ev.Status
	}
	return out
}

// documented reports whether a type of event is one of Didit's (docs.didit.me/integration/webhooks).
func documented(webhookType string) bool {
	switch webhookType {
	case didit.EventStatusUpdated, didit.EventDataUpdated, "user.status.updated", "user.data.updated", "business.status.updated",
		"business.data.updated", "activity.created", "transaction.created", "transaction.status.updated", "travel_rule.status.updated":
		return true
	}
	return false
}
