package didit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const opCreateSession = "create session"

// CreateSession creates a session, or returns the unfinished one of the same VendorData and flow
// (https://docs.didit.me/sessions-api/create-session). The call may cost money and has no idempotency key: after an
// error that is not an *APIError, list the sessions of VendorData before calling again.
func (c *Client) CreateSession(ctx context.Context, r CreateSessionRequest) (Session, error) {
	s, err := send[Session](ctx, c, call{
		op: opCreateSession, method: http.MethodPost, path: "/v3/session/", body: r,
		success: []int{http.StatusCreated, http.StatusOK},
	})
	switch {
	case err != nil:
		return Session{}, err
	case !isToken(s.ID):
		return Session{}, badResponse(opCreateSession, "no usable session_id")
	case s.URL == "":
		return Session{}, badResponse(opCreateSession, "no url")
	}
	s.Metadata = noNull(s.Metadata)
	return s, nil
}

// Decision reads the current state of a session (https://docs.didit.me/sessions-api/retrieve-session).
func (c *Client) Decision(ctx context.Context, sessionID string) (Decision, error) {
	k := call{op: "decision", path: "/v3/session/%s/decision/", ids: []string{sessionID}}
	body, err := c.do(ctx, k)
	if err != nil {
		return Decision{}, err
	}
	return parseDecision(k.op, body)
}

const (
	opListSessions = "list sessions"
	sessionsPath   = "/v3/sessions/"
)

// ListSessions returns one page of sessions (https://docs.didit.me/sessions-api/list-sessions).
func (c *Client) ListSessions(ctx context.Context, r ListSessionsRequest) (SessionPage, error) {
	p, all, err := readPage(ctx, c, call{op: opListSessions, path: sessionsPath, query: r.query()}, wireSession.summary)
	return SessionPage{Count: p.Count, More: p.more(), Sessions: all}, err
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

// SessionsOf returns all sessions of one user, each once. A list of more than 100 pages is ErrTooMany. A session of
// another user makes the answer bad, because the caller may delete what this returns.
func (c *Client) SessionsOf(ctx context.Context, vendorData string) ([]SessionSummary, error) {
	k := call{op: opListSessions, path: sessionsPath, query: ListSessionsRequest{VendorData: vendorData}.query()}
	if vendorData == "" {
		k.invalid = "no user"
	}
	all, err := readList(ctx, c, k, func(w wireSession) (SessionSummary, error) {
		s, err := w.summary()
		if err == nil && !strings.EqualFold(s.VendorData, vendorData) {
			err = badResponse(k.op, "a session of another user")
		}
		return s, err
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(s SessionSummary) bool { // a session created meanwhile moves the others down by one
		repeated := seen[s.ID]
		seen[s.ID] = true
		return repeated
	}), err
}

// wireSession is an item of a list. A session without an id makes the list bad: a caller that misses a session creates,
// and pays for, another one.
type wireSession struct {
	SessionSummary
	CreatedAt wireTime `json:"created_at"`
}

func (w wireSession) summary() (SessionSummary, error) {
	if !isToken(w.ID) {
		return SessionSummary{}, badResponse(opListSessions, "a result without a usable session_id")
	}
	w.SessionSummary.CreatedAt = w.CreatedAt.Time
	return w.SessionSummary, nil
}

// UpdateStatus sets the status of a session as a reviewer does (https://docs.didit.me/sessions-api/update-status).
// Didit answers a repeated Approved or Declined with success and changes nothing. It refuses, with 400, a repeated
// Resubmitted and a session whose user is not done: the current status must be Approved, Declined, In Review, Kyc
// Expired, Abandoned or Resubmitted.
func (c *Client) UpdateStatus(ctx context.Context, sessionID string, r UpdateStatusRequest) error {
	k := call{
		op: "update status", method: http.MethodPatch, path: "/v3/session/%s/update-status/", ids: []string{sessionID}, body: r,
	}
	switch r.NewStatus {
	case StatusApproved, StatusDeclined, StatusResubmitted:
	default:
		k.invalid = "the new status must be Approved, Declined or Resubmitted"
	}
	_, err := c.do(ctx, k)
	return err
}

// Review is an entry of a session's history: a change of status, or another action of a reviewer, a key or Didit. Of the
// actor we read the kind, and neither name nor e-mail address. A comment is free text, which may be about the user.
type Review struct {
	ID             string    `json:"uuid"`          // empty in Didit's older answer
	Activity       string    `json:"activity_type"` // such as STATUS_UPDATED; empty in Didit's older answer
	ActorType      string    `json:"actor_type"`    // API_KEY, CONSOLE_USER or SYSTEM; empty in Didit's older answer
	NewStatus      Status    `json:"new_status"`    // empty if the status did not change
	PreviousStatus Status    `json:"previous_status"`
	Comment        Sensitive `json:"comment"`
	CreatedAt      time.Time `json:"created_at"` // zero if Didit sent none
}

// Reviews returns the history of a session, newest first
// (https://docs.didit.me/management-api/sessions/list-reviews). It has an entry for each UpdateStatus that changed
// something.
func (c *Client) Reviews(ctx context.Context, sessionID string) ([]Review, error) {
	k := call{op: "list reviews", path: "/v3/sessions/%s/reviews/", ids: []string{sessionID}}
	return readList(ctx, c, k, wireReview.review)
}

// wireReview adds the fields of an older answer.
type wireReview struct {
	Review
	OldStatus Status    `json:"old_status"`
	Note      Sensitive `json:"note"`
	CreatedAt wireTime  `json:"created_at"`
}

func (w wireReview) review() (Review, error) {
	r := w.Review
	r.PreviousStatus, r.Comment, r.CreatedAt = cmp.Or(r.PreviousStatus, w.OldStatus), cmp.Or(r.Comment, w.Note), w.CreatedAt.Time
	return r, nil
}

// isToken reports whether s is made of what UUIDs and identifiers are made of. Didit promises UUIDs for sessions; we need
// a harmless path segment.
func isToken(s string) bool {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s != "" && len(s) <= 64 && strings.Trim(s, safe) == ""
}

// decode ignores single fields of another type, because Didit adds and changes fields: those stay zero, and the caller
// checks what it cannot do without. The error never quotes the body.
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

// wireTime reads RFC 3339, or the same without a zone, which Didit's Python may write and which means UTC. Any other
// value is zero.
type wireTime struct{ time.Time }

func (t *wireTime) UnmarshalJSON(b []byte) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} { // both read fractions of a second
		if at, err := time.Parse(layout, strings.Trim(string(b), `"`)); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return nil
}
