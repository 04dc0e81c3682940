package diditsim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// lifetime is how long a link may stay unopened: 7 days unless the flow says otherwise.
const lifetime = 7 * 24 * time.Hour

// Session is a snapshot of a simulated session.
type Session struct {
	ID         string // a UUID, version 4
	Number     int64
	Token      string // 12 characters; a secret
	URL        string // of the hosted page; a secret, because it ends in the token
	VendorData string
	Status     didit.Status
	WorkflowID string
	Metadata   json.RawMessage // nil if none
	Callback   string
	Language   string
	CreatedAt  time.Time
	UpdatedAt  time.Time // of the last change of status
	ExpiresAt  time.Time // shown, not enforced: SetStatus expires a session
}

// session is what a Server keeps; Server.mu guards it.
type session struct {
	Session
	app      *application
	flow     *flow
	failing  *step        // the step that is not approved when the session is not
	resubmit []didit.Node // the steps to repeat while Resubmitted
	reviews  []reviewed
	ordinal  int // which of its vendor_data's sessions it is, from 1
	events   int // announced
	newest   *event
	tried    chan struct{} // closed after the first attempt of the newest delivery; nil if there was none
	waiting  []*delivery   // held, or behind another event
	past     map[int]bool  // events, by number, that were queued or dropped: no delivery waits for them
	deleted  bool
}

// Sessions returns all sessions in the order of their creation.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.all)
}

// SessionsOf returns the sessions of one vendor_data in the order of their creation. Its cost does not depend on the
// number of others.
func (s *Server) SessionsOf(vendorData string) []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshots(s.byVendor[vendorData])
}

func snapshots(all []*session) []Session {
	out := make([]Session, 0, len(all))
	for _, x := range all {
		out = append(out, x.Session)
	}
	return out
}

// Session returns one session.
func (s *Server) Session(id string) (Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.byID[id]
	if !ok {
		return Session{}, false
	}
	return x.Session, true
}

// sessionOf finds the session of a path.
func (s *Server) sessionOf(app *application, r *http.Request) *session {
	if x := s.byID[r.PathValue("id")]; x != nil && x.app == app {
		return x
	}
	return nil
}

// unfinishedStatuses are those of a session that Didit returns again instead of creating another
// (https://docs.didit.me/sessions-api/create-session).
var unfinishedStatuses = []didit.Status{
	didit.StatusNotStarted, didit.StatusInProgress, didit.StatusResubmitted, didit.StatusAwaitingUser,
}

// reusable finds the newest unfinished session of the same user and flow. It needs s.mu.
func (s *Server) reusable(b createBody) *session {
	if b.VendorData == "" {
		return nil
	}
	for _, x := range slices.Backward(s.byVendor[b.VendorData]) {
		if x.app == b.app && x.WorkflowID == b.WorkflowID && slices.Contains(unfinishedStatuses, x.Status) {
			return x
		}
	}
	return nil
}

// add creates the session of a request and announces it. It needs s.mu.
func (s *Server) add(b createBody, base string) *session {
	now := s.opts.Now()
	s.number++
	s.made[b.VendorData]++
	x := &session{app: b.app, flow: b.flow, failing: b.flow.steps[0], ordinal: s.made[b.VendorData], past: map[int]bool{}, Session: Session{
		ID: uuid.NewString(), Number: s.number, Token: newToken(), VendorData: b.VendorData, WorkflowID: b.WorkflowID,
		Status: didit.StatusNotStarted, Language: b.Language, CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(lifetime),
	}}
	x.URL = base + "/session/" + x.Token
	x.Callback, x.Metadata = b.Callback, b.Metadata
	s.all = append(s.all, x)
	s.byID[x.ID], s.byToken[x.Token] = x, x
	s.byVendor[x.VendorData] = append(s.byVendor[x.VendorData], x)
	if x.VendorData != "" {
		s.addUser(x)
	}
	s.announce(x, didit.EventStatusUpdated, "")
	return x
}

// remove deletes a session and the webhooks that wait for it: Didit drops those as well
// (https://docs.didit.me/changelog/october-2026). It needs s.mu.
func (s *Server) remove(x *session) {
	s.all = without(s.all, x)
	s.byVendor[x.VendorData] = without(s.byVendor[x.VendorData], x)
	if len(s.byVendor[x.VendorData]) == 0 {
		delete(s.byVendor, x.VendorData)
	}
	delete(s.byID, x.ID)
	delete(s.byToken, x.Token)
	x.deleted, x.waiting = true, nil
}

// without removes x.
func without[X comparable](all []X, x X) []X {
	return slices.DeleteFunc(all, func(y X) bool { return y == x })
}

// newToken returns a token of Didit's form: 12 URL-safe characters.
func newToken() string { return randomText(9) }

// publicBase is the base of the links to the hosted page.
func (s *Server) publicBase(r *http.Request) string {
	return cmp.Or(s.opts.PublicURL, requestBase(r))
}

func requestBase(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
