package activities

import (
	"context"
	"encoding/json"
	"net/url"
	"path"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// CreateSessionInput asks for a session of a user.
type CreateSessionInput struct {
	UserID     string `json:"user_id"`
	WorkflowID string `json:"workflow_id,omitempty"` // empty takes the worker's
	Language   string `json:"language,omitempty"`
	ReturnURL  string `json:"return_url,omitempty"`
	Attempt    int    `json:"attempt"`
}

// MadeSession is a session and the terms that its verification goes by from now on.
type MadeSession struct {
	Session kyc.Session `json:"session"`
	Terms   Terms       `json:"terms"`
}

// CreateSession makes a session at Didit. Didit answers with the user's unfinished session if there is one. Its errors
// have the types of package kyc. One that is retryable made no session for certain; a non-retryable DiditUnavailable
// may have made one, which must be looked for before anything else is tried.
func (a *Activities) CreateSession(ctx context.Context, in CreateSessionInput) (MadeSession, error) {
	terms := a.terms(in.WorkflowID)
	ours, err := json.Marshal(kyc.SessionMetadata{RunID: activity.GetInfo(ctx).WorkflowExecution.RunID, Attempt: in.Attempt})
	if err != nil {
		return MadeSession{}, err
	}
	s, err := a.Didit.CreateSession(ctx, didit.CreateSessionRequest{
		WorkflowID: terms.WorkflowID, VendorData: in.UserID, Callback: in.ReturnURL, Language: in.Language, Metadata: ours,
	})
	if err != nil {
		return MadeSession{}, a.classifyCreate(err)
	}
	return MadeSession{
		Session: kyc.Session{SessionID: s.ID, SessionToken: s.Token, URL: s.URL, Status: s.Status}, Terms: terms,
	}, nil
}

// ListSessionsInput names the user whose sessions are listed.
type ListSessionsInput struct {
	UserID string `json:"user_id"`
}

// UserSessions are the sessions that Didit has of a user, and what the worker thinks of their number.
type UserSessions struct {
	Sessions []UserSession `json:"sessions"`
	// Recent counts the finished ones of the last CapWindow: an unfinished one would be continued, not paid again.
	Recent int `json:"recent"`
	Cap    int `json:"cap"`
	// Results is as in Terms: a user over the cap gets no session, and so no Terms.
	Results bool `json:"results,omitempty"`
}

// UserSession is one of UserSessions.
type UserSession struct {
	SessionID string       `json:"session_id"`
	Status    didit.Status `json:"status"`
	CreatedAt time.Time    `json:"created_at,omitzero"`
}

// listed is the longest list that is asked for: far beyond any cap.
const listed = 100

// ListSessions lists the user's sessions at Didit. Its errors have the types of package kyc.
func (a *Activities) ListSessions(ctx context.Context, in ListSessionsInput) (UserSessions, error) {
	page, err := a.Didit.ListSessions(ctx, didit.ListSessionsRequest{VendorData: in.UserID, Limit: listed})
	if err != nil {
		return UserSessions{}, a.classify(err)
	}
	out := UserSessions{Cap: a.Settings.SessionCap, Results: a.Receiver != nil}
	for _, s := range page.Sessions {
		if s.VendorData != in.UserID {
			continue
		}
		out.Sessions = append(out.Sessions, UserSession{SessionID: s.ID, Status: s.Status, CreatedAt: s.CreatedAt})
		if time.Since(s.CreatedAt) < CapWindow && !unfinished(s.Status) {
			out.Recent++
		}
	}
	return out, nil
}

// unfinished reports whether Didit returns a session of this status again instead of making another
// (docs.didit.me/sessions-api/create-session).
func unfinished(s didit.Status) bool {
	switch s {
	case didit.StatusNotStarted, didit.StatusInProgress, didit.StatusResubmitted, didit.StatusAwaitingUser:
		return true
	}
	return false
}

// AdoptSessionInput names a session that a lost answer may have been about.
type AdoptSessionInput struct {
	SessionID  string `json:"session_id"`
	UserID     string `json:"user_id"`
	WorkflowID string `json:"workflow_id,omitempty"` // empty takes the worker's
}

// AdoptedSession is the session if this run made it; else Ours is false and the rest is zero.
type AdoptedSession struct {
	Ours bool `json:"ours"`
	MadeSession
}

// AdoptSession reads the decision on a session and takes the session over if the metadata says that this run made it.
func (a *Activities) AdoptSession(ctx context.Context, in AdoptSessionInput) (AdoptedSession, error) {
	d, err := a.Didit.Decision(ctx, in.SessionID)
	if err != nil {
		return AdoptedSession{}, a.classify(err)
	}
	terms := a.terms(in.WorkflowID)
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	asked := ReadDecisionInput{SessionID: in.SessionID, UserID: in.UserID, WorkflowID: terms.WorkflowID, Environment: terms.Environment}
	if kyc.MetadataOf(d.Metadata).RunID != run || len(differences(asked, d)) > 0 || d.SessionURL == "" {
		return AdoptedSession{}, nil
	}
	return AdoptedSession{Ours: true, MadeSession: MadeSession{Terms: terms, Session: kyc.Session{
		SessionID: in.SessionID, SessionToken: tokenOf(d.SessionURL), URL: d.SessionURL, Status: d.Status,
	}}}, nil
}

// tokenOf takes the session token from the hosted URL, https://verify.didit.me[/language]/session/TOKEN. A decision
// tells the URL only. Empty for a URL of another form: the URL is enough for a browser.
func tokenOf(sessionURL string) string {
	u, err := url.Parse(sessionURL)
	if err != nil || path.Base(path.Dir(u.Path)) != "session" {
		return ""
	}
	return strings.TrimSpace(path.Base(u.Path))
}
