package receiver

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

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

var results = [...]Result{
	Received, Late, NoNews, Test, OtherEnvironment, Ignored, Foreign, NotAllowed, Unsigned, BadSignature, Stale, TooLarge, Malformed, Unfinished,
	Busy, Unavailable,
}

// Results lists the outcomes of a webhook.
func Results() []Result { return slices.Clone(results[:]) }

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
func (r Result) Code() int {
	switch r {
	case Unsigned, Malformed:
		return http.StatusBadRequest
	case BadSignature, Stale, NotAllowed:
		return http.StatusForbidden
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Unfinished:
		return http.StatusRequestTimeout
	case Unavailable, Busy:
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// verified reports whether the signature was good, so that the event's ids may be logged.
func (r Result) verified() bool { return r.Code() == http.StatusOK || r == Unavailable }

func (r Result) text() string {
	switch r {
	case NotAllowed:
		return "this sender is not on the list"
	case Unsigned:
		return "X-Signature or X-Signature-V2 is missing, or given twice"
	case BadSignature:
		return "the signature does not match"
	case Stale:
		return "the timestamp is too far from our clock, or X-Timestamp differs from the signed one"
	case TooLarge:
		return "the body is too large"
	case Malformed:
		return "the body is not one JSON object of the documented form"
	case Unfinished:
		return "the body did not arrive in time"
	case Unavailable, Busy:
		return "not stored; send it again"
	}
	return ""
}

// answers are the bodies of all answers, made once: making them is most of the cost of answering a forged webhook.
var answers = func() map[Result][]byte {
	all := make(map[Result][]byte, len(results))
	for _, r := range results {
		body := map[string]string{"error": r.text()}
		if r.Code() == http.StatusOK {
			body = map[string]string{"status": "received"}
		}
		all[r], _ = json.Marshal(body) // strings only
	}
	return all
}()

func (r Result) level() slog.Level {
	switch r {
	case Received, Late, NoNews, Test, Ignored, Foreign:
		return slog.LevelInfo
	case Unavailable:
		return slog.LevelError
	}
	return slog.LevelWarn
}

// counts has one counter per result.
type counts struct {
	n [len(results)]atomic.Int64
}

func (c *counts) add(r Result) {
	for i, known := range results {
		if known == r {
			c.n[i].Add(1)
		}
	}
}

// Counts returns how often each result has occurred since the process started.
func (r *Receiver) Counts() map[Result]int64 {
	m := make(map[Result]int64, len(results))
	for i, known := range results {
		m[known] = r.counts.n[i].Load()
	}
	return m
}
