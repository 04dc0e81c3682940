package kyc

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// eventNamespace is the UUIDv5 namespace of event keys. It must never change: keys are compared over years.
var eventNamespace = uuid.MustParse("0d8c1f0e-6d0b-5a8e-9d3c-6f4f4a1f7a11")

// FromDidit converts a verified webhook to the signal's payload. Its EventID is always a UUID: Didit's event_id, or, where
// Didit sent none, a UUIDv5 over session, type, status and created_at, so that a repeat has the same one even if it was
// signed again. It hashes an event_id of another form, since ids are made of it.
func FromDidit(ev didit.Event) DiditEvent {
	id := canonicalUUID(ev.ID)
	switch {
	case ev.ID == "":
		id = eventKey(fmt.Sprintf("%s|%s|%s|%d", ev.SessionID, ev.Type, ev.Status, ev.CreatedAt))
	case id == "":
		id = eventKey(ev.ID)
	}
	session := cmp.Or(canonicalUUID(ev.SessionID), ev.SessionID)
	return DiditEvent{EventID: id, Type: ev.Type, SessionID: session, Status: ev.Status, CreatedAt: ev.CreatedAt}
}

func eventKey(name string) string { return uuid.NewSHA1(eventNamespace, []byte(name)).String() }

// canonicalUUID is empty for what is not a UUID. Package uuid accepts more forms than one.
func canonicalUUID(s string) string {
	id, err := uuid.Parse(s)
	if err != nil {
		return ""
	}
	return id.String()
}

// EventType returns the type of an event. Destinations of version v1 send none: an event with a session and a status is a
// change of status.
func EventType(ev didit.Event) string {
	if ev.Type == "" && ev.SessionID != "" && ev.Status != "" {
		return didit.EventStatusUpdated
	}
	return ev.Type
}

// Ignored is why a genuine event changes no verification.
type Ignored string

// The reasons.
const (
	IgnoredTest        Ignored = "test"              // sent from Didit's console
	IgnoredEnvironment Ignored = "other_environment" // sandbox for live, or the reverse
	IgnoredType        Ignored = "ignored"           // a type of event that changes no verification
	IgnoredForeign     Ignored = "foreign"           // a session that is not ours
)

// IgnoredIn returns why an event changes no verification of an environment; empty if it may change one.
func IgnoredIn(here didit.Environment, ev didit.Event) Ignored {
	switch {
	case ev.Test:
		return IgnoredTest
	case ev.Environment != "" && ev.Environment != here:
		return IgnoredEnvironment
	case EventType(ev) != didit.EventStatusUpdated:
		return IgnoredType
	case ValidateUserID(ev.VendorData) != nil, uuid.Validate(ev.SessionID) != nil:
		return IgnoredForeign
	}
	return ""
}

// SessionMetadata marks a session at Didit as ours. Didit echoes it in webhooks and decisions. Another program that asks
// for a session of the same user may overwrite it (docs.didit.me/sessions-api/create-session).
type SessionMetadata struct {
	// Deployment made the session (KYC_DEPLOYMENT): several deployments may share one Didit application.
	Deployment string `json:"kyc_deployment"`
	// RunID is the Temporal run that created the session, before any reset; Attempt counts the sessions of that run.
	RunID   string `json:"temporal_run_id"`
	Attempt int    `json:"attempt"`
	// Reverify marks a session that was made beside an earlier verdict, which it replaces.
	Reverify bool `json:"reverify,omitempty"`
}

// Origin returns where a session with this metadata comes from, as seen by a deployment. What names another one may name any
// run.
func (m SessionMetadata) Origin(deployment string) Origin {
	if m.Deployment != deployment {
		return Origin{}
	}
	return Origin{Ours: true, RunID: m.RunID}
}

// MetadataOf reads the metadata of a session or a webhook: an object, or its JSON text. Names must match exactly, since
// Didit's signature does not fix the order of names that differ only in case.
func MetadataOf(raw json.RawMessage) SessionMetadata {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return SessionMetadata{}
	}
	var m SessionMetadata
	var attempt float64
	_ = json.Unmarshal(fields["kyc_deployment"], &m.Deployment) // a field of another type stays zero
	_ = json.Unmarshal(fields["temporal_run_id"], &m.RunID)
	_ = json.Unmarshal(fields["reverify"], &m.Reverify)
	if json.Unmarshal(fields["attempt"], &attempt) == nil && attempt >= 1 && attempt < 1e6 {
		m.Attempt = int(attempt)
	}
	m.RunID = canonicalUUID(m.RunID)
	return m
}
