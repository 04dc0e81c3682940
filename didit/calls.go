package didit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const opCreateSession = "create session"

// CreateSession makes a session, or returns the unfinished one of the same VendorData and flow
// (https://docs.didit.me/sessions-api/create-session). The call may cost money and has no idempotency key: after an
// error that is not an *APIError, list the sessions of VendorData before calling again.
func (c *Client) CreateSession(ctx context.Context, r CreateSessionRequest) (Session, error) {
	k := call{
		op: opCreateSession, method: http.MethodPost, path: "/v3/session/", body: r,
		success: []int{http.StatusCreated, http.StatusOK},
	}
	body, err := c.do(ctx, k)
	if err != nil {
		return Session{}, err
	}
	var s Session
	if err := decode(k.op, body, &s); err != nil {
		return Session{}, err
	}
	switch {
	case !isToken(s.ID):
		return Session{}, badResponse(k.op, "no usable session_id")
	case s.URL == "":
		return Session{}, badResponse(k.op, "no url")
	}
	s.Metadata = noNull(s.Metadata)
	return s, nil
}

// Decision reads what Didit knows of a session now (https://docs.didit.me/sessions-api/retrieve-session).
func (c *Client) Decision(ctx context.Context, sessionID string) (Decision, error) {
	path, err := sessionPath(sessionID, "decision/")
	if err != nil {
		return Decision{}, err
	}
	k := call{op: "decision", method: http.MethodGet, path: path, success: []int{http.StatusOK}}
	body, err := c.do(ctx, k)
	if err != nil {
		return Decision{}, err
	}
	return parseDecision(k.op, body)
}

// ListSessions returns one page of sessions (https://docs.didit.me/sessions-api/list-sessions).
func (c *Client) ListSessions(ctx context.Context, r ListSessionsRequest) (SessionPage, error) {
	k := call{op: "list sessions", method: http.MethodGet, path: "/v3/sessions/", query: r.query(), success: []int{http.StatusOK}}
	body, err := c.do(ctx, k)
	if err != nil {
		return SessionPage{}, err
	}
	return parsePage(k.op, body)
}

func (r ListSessionsRequest) query() url.Values {
	q := page(r.Limit, r.Offset)
	q.Set("session_kind", string(cmp.Or(r.Kind, KindAll)))
	for name, value := range map[string]string{
		"vendor_data": r.VendorData, "workflow_id": r.WorkflowID, "search": r.Search, "status": joined(r.Statuses),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	setDay(q, "date_from", r.From)
	setDay(q, "date_to", r.To)
	return q
}

func joined(statuses []Status) string {
	all := make([]string, len(statuses))
	for i, st := range statuses {
		all[i] = string(st)
	}
	return strings.Join(all, ",")
}

// UpdateStatus sets the status of a session as a reviewer would (https://docs.didit.me/sessions-api/update-status).
// Didit answers a repeated Approved or Declined with success and changes nothing. It refuses, with 400, a repeated
// Resubmitted and a session whose user is not done: the current status must be Approved, Declined, In Review, Kyc
// Expired, Abandoned or Resubmitted.
func (c *Client) UpdateStatus(ctx context.Context, sessionID string, r UpdateStatusRequest) error {
	path, err := sessionPath(sessionID, "update-status/")
	if err != nil {
		return err
	}
	k := call{op: "update status", method: http.MethodPatch, path: path, body: r, success: []int{http.StatusOK}}
	switch r.NewStatus {
	case StatusApproved, StatusDeclined, StatusResubmitted:
	default:
		return fmt.Errorf("%w: %s: the new status must be Approved, Declined or Resubmitted", ErrInvalidArgument, k.op)
	}
	_, err = c.do(ctx, k)
	return err
}

// sessionPath refuses, before any call, an id that could lead to another path.
func sessionPath(id, tail string) (string, error) {
	if !isToken(id) {
		return "", notASession()
	}
	return "/v3/session/" + url.PathEscape(id) + "/" + tail, nil
}

func notASession() error { return fmt.Errorf("%w: not a session id", ErrInvalidArgument) }

// isToken wants what UUIDs and identifiers are made of. Didit promises UUIDs for sessions; we only need a harmless path
// segment.
func isToken(s string) bool {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s != "" && len(s) <= 64 && strings.Trim(s, safe) == ""
}

// decode is lenient about single fields of another type, because Didit adds and changes them: those stay zero, and
// the caller checks what it cannot do without. The error says where, never what.
func decode(op string, body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && te.Field != "" {
		return nil
	}
	if err != nil {
		return badResponse(op, "not the JSON object that the docs describe")
	}
	return nil
}

// noNull turns JSON's null into nothing.
func noNull(m json.RawMessage) json.RawMessage {
	if string(m) == "null" {
		return nil
	}
	return m
}

// parseTime is lenient: RFC 3339, or the same without a zone, which Didit's Python may write and which means UTC.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} { // both read fractions of a second
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// parsePage insists on results and on the id of each: an empty page must not be read from a broken answer, because
// a caller would then make, and pay for, another session.
func parsePage(op string, body []byte) (SessionPage, error) {
	var w struct {
		Count   int             `json:"count"`
		Next    json.RawMessage `json:"next"` // a URL, or null on the last page
		Results []struct {
			ID         string `json:"session_id"`
			Number     int64  `json:"session_number"`
			Kind       Kind   `json:"session_kind"`
			Status     Status `json:"status"`
			VendorData string `json:"vendor_data"`
			WorkflowID string `json:"workflow_id"`
			CreatedAt  string `json:"created_at"`
		} `json:"results"`
	}
	if err := decode(op, body, &w); err != nil {
		return SessionPage{}, err
	}
	if w.Results == nil {
		return SessionPage{}, badResponse(op, "no results")
	}
	p := SessionPage{Count: w.Count, More: hasNext(w.Next), Sessions: make([]SessionSummary, 0, len(w.Results))}
	for _, r := range w.Results {
		if !isToken(r.ID) {
			return SessionPage{}, badResponse(op, "a result without a usable session_id")
		}
		p.Sessions = append(p.Sessions, SessionSummary{
			ID: r.ID, Number: r.Number, Kind: r.Kind, Status: r.Status, VendorData: r.VendorData, WorkflowID: r.WorkflowID,
			CreatedAt: parseTime(r.CreatedAt),
		})
	}
	return p, nil
}
