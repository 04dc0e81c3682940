package kyc

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// eventNamespace is the UUIDv5 namespace of event keys. It must never change: keys are compared over years.
var eventNamespace = uuid.MustParse("0d8c1f0e-6d0b-5a8e-9d3c-6f4f4a1f7a11")

// FromDidit turns a verified webhook into the signal's payload. Its EventID is always a UUID: Didit's event_id, or, where
// Didit sent none, a UUIDv5 over session, type, status, created_at and the digest of the body, so that a repeat has the
// same one. An event_id of another form is hashed, since it is used in ids.
func FromDidit(ev didit.Event, body []byte) DiditEvent {
	id := ev.ID
	switch {
	case id == "":
		id = eventKey(fmt.Sprintf("%s|%s|%s|%d|%x", ev.SessionID, ev.Type, ev.Status, ev.CreatedAt, sha256.Sum256(body)))
	case uuid.Validate(id) != nil:
		id = eventKey(id)
	}
	return DiditEvent{EventID: id, Type: ev.Type, SessionID: ev.SessionID, Status: ev.Status, CreatedAt: ev.CreatedAt}
}

func eventKey(name string) string { return uuid.NewSHA1(eventNamespace, []byte(name)).String() }
