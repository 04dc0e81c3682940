package kyc

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// eventNamespace is the UUIDv5 namespace of event keys. It must never change: keys are compared over years.
var eventNamespace = uuid.MustParse("0d8c1f0e-6d0b-5a8e-9d3c-6f4f4a1f7a11")

// FromDidit turns a verified webhook into the signal's payload. Its EventID is always a UUID: Didit's event_id, or, where
// Didit sent none, a UUIDv5 over session, type, status and created_at, so that a repeat has the same one even if it was
// signed anew. An event_id of another form is hashed, since it is used in ids.
func FromDidit(ev didit.Event) DiditEvent {
	id := canonicalUUID(ev.ID)
	switch {
	case ev.ID == "":
		id = eventKey(fmt.Sprintf("%s|%s|%s|%d", ev.SessionID, ev.Type, ev.Status, ev.CreatedAt))
	case id == "":
		id = eventKey(ev.ID)
	}
	session := canonicalUUID(ev.SessionID)
	if session == "" {
		session = ev.SessionID
	}
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

// SessionMetadata marks a session at Didit as ours. Didit echoes it in webhooks and decisions.
type SessionMetadata struct {
	// RunID is the Temporal run that made the session.
	RunID   string `json:"temporal_run_id"`
	Attempt int    `json:"attempt"`
}

// MetadataOf reads the metadata of a session or a webhook. Of a session that is not ours the RunID is empty.
func MetadataOf(raw json.RawMessage) SessionMetadata {
	var m SessionMetadata
	if json.Unmarshal(raw, &m) != nil || canonicalUUID(m.RunID) == "" {
		return SessionMetadata{}
	}
	return m
}
