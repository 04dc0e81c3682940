package activities

import (
	"context"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// CreateSessionInput asks for a session of a user.
type CreateSessionInput struct {
	UserID     string `json:"user_id"`
	WorkflowID string `json:"workflow_id,omitempty"` // Didit's flow; empty takes the worker's
	Language   string `json:"language,omitempty"`
	ReturnURL  string `json:"return_url,omitempty"`
	// RunID is the workflow's run before any reset, Attempt counts the sessions that it has asked for.
	RunID   string `json:"run_id"`
	Attempt int    `json:"attempt"`
	// Reverify asks for a session beside an earlier verdict, at the time Since.
	Reverify bool      `json:"reverify,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	// Known are sessions that the workflow has read, and that do not keep it from making another one.
	Known []string `json:"known,omitempty"`
}

// MadeSession is a session and the policy of its verification. Without a session, Others are the user's sessions, which the
// workflow must read first: one of them may be the session that the user has already.
type MadeSession struct {
	Session kyc.Session   `json:"session,omitzero"`
	Policy  SessionPolicy `json:"policy"`
	Others  []UserSession `json:"others,omitempty"`
	// Continued is set if Didit returned an unfinished session that the user had before.
	Continued bool `json:"continued,omitempty"`
}

// UserSession is a session that Didit has of a user. Another program of the account may have made it.
type UserSession struct {
	SessionID string       `json:"session_id"`
	Status    didit.Status `json:"status"`
	CreatedAt time.Time    `json:"created_at,omitzero"`
}

// CreateSession makes a session at Didit, unless Didit has one of the user that the workflow has not read. So repeated calls
// and lost answers never make a second paid session. Its errors have the types of package kyc.
// The list of the user's sessions counts against Didit's limit for reads, which is twice that for writes.
func (a *Activities) CreateSession(ctx context.Context, in CreateSessionInput) (MadeSession, error) {
	made := MadeSession{Policy: a.policy(in.WorkflowID)}
	sessions, err := a.sessionsOf(ctx, in.UserID)
	if err != nil {
		return made, classify(err)
	}
	if mustReadFirst(in, sessions) {
		made.Others = sessions
		return made, nil
	}
	if recent(sessions) >= a.Settings.SessionCap {
		return made, temporal.NewNonRetryableApplicationError(kyc.Hint(kyc.ErrorTypeSessionCap), kyc.ErrorTypeSessionCap, nil)
	}
	ours, err := json.Marshal(kyc.SessionMetadata{
		Deployment: a.Settings.Deployment, RunID: in.RunID, Attempt: in.Attempt, Reverify: in.Reverify,
	})
	if err != nil {
		return made, err
	}
	s, err := a.Didit.CreateSession(ctx, didit.CreateSessionRequest{
		WorkflowID: made.Policy.WorkflowID, VendorData: in.UserID, Callback: in.ReturnURL, Language: in.Language, Metadata: ours,
	})
	if err != nil {
		return made, classify(err)
	}
	made.Session = kyc.Session{SessionID: s.ID, SessionToken: s.Token, URL: s.URL, Status: s.Status, WorkflowID: made.Policy.WorkflowID}
	made.Continued = slices.ContainsFunc(sessions, func(x UserSession) bool { return x.SessionID == s.ID })
	return made, nil
}

// mostListed bounds the list of a user's sessions: far beyond any cap.
const mostListed = 100

// sessionsOf lists the user's sessions, newest first.
func (a *Activities) sessionsOf(ctx context.Context, userID string) ([]UserSession, error) {
	page, err := a.Didit.ListSessions(ctx, didit.ListSessionsRequest{VendorData: userID, Limit: mostListed})
	if err != nil {
		return nil, err
	}
	var sessions []UserSession
	for _, s := range page.Sessions {
		if s.VendorData == userID { // Didit ignores case
			sessions = append(sessions, UserSession{SessionID: s.ID, Status: s.Status, CreatedAt: s.CreatedAt})
		}
	}
	return sessions, nil
}

// clockSkew is how far Didit's clock may be behind ours.
const clockSkew = time.Minute

var reviewedOrDecided = []didit.Status{didit.StatusInReview, didit.StatusApproved, didit.StatusDeclined}

// mustReadFirst reports whether one of the sessions may make a new one needless: one that is unfinished, in review or decided,
// or, for a session beside an earlier verdict, one that was made since.
func mustReadFirst(in CreateSessionInput, sessions []UserSession) bool {
	return slices.ContainsFunc(sessions, func(s UserSession) bool {
		if slices.Contains(in.Known, s.SessionID) || in.Reverify && s.CreatedAt.Before(in.Since.Add(-clockSkew)) {
			return false
		}
		return kyc.PersonActs(s.Status) || in.Reverify || slices.Contains(reviewedOrDecided, s.Status)
	})
}

// recent counts the finished sessions of the last CapWindow: Didit continues an unfinished one at no cost.
func recent(sessions []UserSession) (n int) {
	for _, s := range sessions {
		if time.Since(s.CreatedAt) < CapWindow && !kyc.PersonActs(s.Status) {
			n++
		}
	}
	return n
}

// UserSessions are the sessions that Didit has of a user, newest first, and the policy for following one of them.
type UserSessions struct {
	Sessions []UserSession `json:"sessions"`
	Policy   SessionPolicy `json:"policy"`
}

// ListSessions lists the user's sessions at Didit. Its errors have the types of package kyc.
func (a *Activities) ListSessions(ctx context.Context, in UserInput) (UserSessions, error) {
	sessions, err := a.sessionsOf(ctx, in.UserID)
	if err != nil {
		return UserSessions{}, classify(err)
	}
	return UserSessions{Sessions: sessions, Policy: a.policy("")}, nil
}

// tokenOf reads the session token from the hosted URL, https://verify.didit.me[/language]/session/TOKEN. A decision
// has the URL only. Empty for a URL of another form: the URL is enough for a browser.
func tokenOf(sessionURL string) string {
	u, err := url.Parse(sessionURL)
	if err != nil || path.Base(path.Dir(u.Path)) != "session" {
		return ""
	}
	return strings.TrimSpace(path.Base(u.Path))
}
