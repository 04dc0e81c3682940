package diditsim

import (
	"cmp"
	"net/http"
	"time"

	"didit-temporal/didit"
)

// Bounds and default of a share token's life, in seconds.
const (
	minShare     = 60
	maxShare     = 24 * 60 * 60
	defaultShare = 60 * 60
)

// share lets one application import a session of another, once.
type share struct {
	from  *session
	to    string // the application's id or its client_id
	until time.Time
	used  bool
}

// shareBody names the other application: by its id as on Didit's pages, or by its client_id as Didit's MCP server does.
type shareBody struct {
	Application string `json:"for_application_id"`
	Client      string `json:"partner_client_id"`
	Seconds     int    `json:"ttl_in_seconds"`
}

// shareSession is POST /v3/session/{id}/share/.
func (s *Server) shareSession(x *session, _ *http.Request, b shareBody) *answer {
	to, seconds := cmp.Or(b.Application, b.Client), cmp.Or(b.Seconds, defaultShare)
	switch {
	case to == "":
		return invalid("for_application_id", "This field is required.")
	case seconds < minShare || seconds > maxShare:
		return invalid("ttl_in_seconds", "Ensure this value is between 60 and 86400.")
	}
	token := randomText(32)
	s.shares[token] = &share{from: x, to: to, until: s.opts.Now().Add(time.Duration(seconds) * time.Second)}
	return ok(map[string]any{"share_token": token, "for_application_id": to, "session_kind": x.flow.kind()})
}

// importBody is the body of an import.
type importBody struct {
	Token      string `json:"share_token"`
	Trust      bool   `json:"trust_review"`
	WorkflowID string `json:"workflow_id"`
	VendorData string `json:"vendor_data"`
}

// importShared is POST /v3/session/import-shared/. The new session has the status of the shared one, or is In Review where
// the importing application does not trust that.
func (s *Server) importShared(app *application, r *http.Request, b importBody) *answer {
	from := s.shares[b.Token]
	if from == nil || s.byID[from.from.ID] == nil || s.opts.Now().After(from.until) || !app.named(from.to) {
		return invalid("share_token", "Invalid or expired share token.")
	}
	if from.used {
		return detail(http.StatusForbidden, "The share token has been used.")
	}
	f := from.from.flow
	if b.WorkflowID != "" {
		f = s.flow(app, b.WorkflowID)
	}
	if f == nil {
		return invalid("workflow_id", "Workflow not found.")
	}
	from.used = true
	status := didit.StatusInReview
	if b.Trust {
		status = from.from.Status
	}
	x := s.add(createBody{app: app, flow: f, WorkflowID: f.id, VendorData: b.VendorData}, s.publicBase(r))
	s.move(x, status, review{})
	d := s.decisionOf(x)
	d["shared_from_session"] = from.from.ID
	return created(d)
}

// named reports whether id names the application.
func (a *application) named(id string) bool {
	return id == a.publicID() || a != nil && id == a.clientID
}
