package receiver

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Result is the outcome of one webhook.
type Result string

// The results. Didit sends again after a 5xx only, so every refusal is final.
const (
	Received         Result = "received"                     // Temporal has it
	Late             Result = "late"                         // no run was open, so the event started one: Temporal has it
	NoNews           Result = "no_news"                      // it repeats what is known: the session was created
	Test             Result = Result(kyc.IgnoredTest)        // sent from Didit's console
	OtherEnvironment Result = Result(kyc.IgnoredEnvironment) // sandbox for live, or the reverse
	Ignored          Result = Result(kyc.IgnoredType)        // a type of event that changes no verification
	Foreign          Result = Result(kyc.IgnoredForeign)     // a session that is not ours
	NotAllowed       Result = "not_allowed"                  // a sender that is not in WEBHOOK_ALLOW_FROM
	Unsigned         Result = "unsigned"
	BadSignature     Result = "bad_signature"
	Stale            Result = "stale"
	TooLarge         Result = "too_large"
	Malformed        Result = "malformed"
	Unfinished       Result = "unfinished"  // the body did not arrive completely
	Busy             Result = "busy"        // too many unauthenticated bodies in flight: send it again
	Unavailable      Result = "unavailable" // Temporal did not accept it: Didit sends it again
)

// meaning is how a result is answered and logged.
type meaning struct {
	code  int
	level slog.Level
	text  string // of the error; empty: the event is taken
}

var meanings = map[Result]meaning{
	Received:         {http.StatusOK, slog.LevelInfo, ""},
	Late:             {http.StatusOK, slog.LevelInfo, ""},
	NoNews:           {http.StatusOK, slog.LevelInfo, ""},
	Test:             {http.StatusOK, slog.LevelInfo, ""},
	OtherEnvironment: {http.StatusOK, slog.LevelWarn, ""},
	Ignored:          {http.StatusOK, slog.LevelInfo, ""},
	Foreign:          {http.StatusOK, slog.LevelInfo, ""},
	NotAllowed:       {http.StatusForbidden, slog.LevelWarn, "this sender is not on the list"},
	Unsigned:         {http.StatusBadRequest, slog.LevelWarn, "X-Signature or X-Signature-V2 is missing"},
	BadSignature:     {http.StatusForbidden, slog.LevelWarn, "the signature does not match"},
	Stale:            {http.StatusForbidden, slog.LevelWarn, "the timestamp is too far from our clock, or X-Timestamp differs from the signed one"},
	TooLarge:         {http.StatusRequestEntityTooLarge, slog.LevelWarn, "the body is too large"},
	Malformed:        {http.StatusBadRequest, slog.LevelWarn, "the body is not one JSON object of the documented form"},
	Unfinished:       {http.StatusRequestTimeout, slog.LevelWarn, "the body did not arrive in time"},
	Busy:             {http.StatusServiceUnavailable, slog.LevelWarn, "not stored; send it again"},
	Unavailable:      {http.StatusServiceUnavailable, slog.LevelError, "not stored; send it again"},
}

// Results lists the outcomes of a webhook.
func Results() []Result { return slices.Sorted(maps.Keys(meanings)) }

// refusal names a failed verification.
func refusal(err error) Result {
	var network net.Error
	switch {
	case errors.Is(err, didit.ErrTooLarge):
		return TooLarge
	case errors.Is(err, errBusy), errors.Is(err, didit.ErrBusy):
		return Busy
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return Unfinished
	case errors.Is(err, didit.ErrNotSigned):
		return Unsigned
	case errors.Is(err, didit.ErrBadSignature):
		return BadSignature
	case errors.Is(err, didit.ErrStale):
		return Stale
	}
	return Malformed
}

// Code is the HTTP status of the answer.
func (r Result) Code() int { return meanings[r].code }

// verified reports whether the signature was good, so that the event's ids may be logged.
func (r Result) verified() bool { return r.Code() == http.StatusOK || r == Unavailable }

// answers are the bodies of all answers, made once: making them is most of the cost of answering a forged webhook.
var answers = func() map[Result][]byte {
	all := make(map[Result][]byte, len(meanings))
	for r, m := range meanings {
		body := map[string]string{"error": m.text}
		if m.code == http.StatusOK {
			body = map[string]string{"status": "received"}
		}
		all[r], _ = json.Marshal(body) // strings only
	}
	return all
}()

// counts has one counter per result.
type counts map[Result]*atomic.Int64

func newCounts() counts {
	c := make(counts, len(meanings))
	for r := range meanings {
		c[r] = new(atomic.Int64)
	}
	return c
}

// Counts returns how often each result has occurred since the process started.
func (r *Receiver) Counts() map[Result]int64 {
	m := make(map[Result]int64, len(r.counts))
	for result, n := range r.counts {
		m[result] = n.Load()
	}
	return m
}

// loggable keeps only ids of a known form: an event that is not ours may hold anything.
func loggable(ev kyc.DiditEvent) kyc.DiditEvent {
	out := kyc.DiditEvent{CreatedAt: ev.CreatedAt, EventID: ev.EventID} // ours: kyc.FromDidit makes it a UUID
	if slices.Contains(documented, ev.Type) {
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

// documented are Didit's types of events (docs.didit.me/integration/webhooks).
var documented = []string{
	didit.EventStatusUpdated, didit.EventDataUpdated, "user.status.updated", "user.data.updated", "business.status.updated",
	"business.data.updated", "activity.created", "transaction.created", "transaction.status.updated", "travel_rule.status.updated",
}
