package diditsim

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"didit-temporal/didit"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// view is what the page shows.
type view struct {
	Session
	pageText
	Notice  string // why a button had no effect
	Offers  []offer
	Review  bool // the buttons are a reviewer's
	BackURL string
	// Messages are what a page in a frame posts. Nonce allows its script; without one there is no script.
	Messages []message
	Nonce    string
}

// showPage is GET /session/{token}, the hosted page. Opening it starts the session.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	x, ok := s.byToken[r.PathValue("token")]
	v := view{pageText: pageText{Title: "This link does not work", Text: "It has no session. The session may have been deleted."}}
	v.Messages = []message{Session{}.message("didit:error", map[string]any{"error": "unknown"})}
	if ok {
		if r.Method == http.MethodGet && x.Status == didit.StatusNotStarted {
			s.move(x, didit.StatusInProgress, review{})
		}
		v = x.view()
	}
	s.mu.Unlock()
	code := http.StatusOK
	if !ok {
		code = http.StatusNotFound
	}
	renderPage(w, r, code, v)
}

// actOnPage is POST /session/{token} with the form field action. A user's action redirects to the session's callback if it
// has one, a reviewer's always back to the page.
func (s *Server) actOnPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	action := r.PostFormValue("action")
	s.mu.Lock()
	x, ok := s.byToken[r.PathValue("token")]
	if !ok {
		s.mu.Unlock()
		s.showPage(w, r)
		return
	}
	reviewing := x.Status == didit.StatusInReview
	code, notice := s.act(x, action)
	v := x.view()
	s.mu.Unlock()
	v.Notice = notice
	switch {
	case notice != "":
		renderPage(w, r, code, v)
	case v.Callback != "" && !reviewing && !framed(r): // a frame stays, its messages have the result
		seeOther(w, callbackURL(v.Session))
	default:
		seeOther(w, v.Token) // relative, so that it works behind any prefix
	}
}

// act performs the action of a button, or returns why it cannot, with the status that says so. It needs s.mu.
func (s *Server) act(x *session, name string) (code int, notice string) {
	i := slices.IndexFunc(offers, func(o offer) bool { return o.Name == name })
	if i < 0 {
		return http.StatusBadRequest, "there is no such action"
	}
	if x.Status == didit.StatusNotStarted { // the page was not opened first
		s.move(x, didit.StatusInProgress, review{})
	}
	if !slices.Contains(offersAt(x.Status), offers[i]) {
		return http.StatusConflict, "the session has another status by now"
	}
	if x.Status == didit.StatusInReview { // the buttons of a review are the reviewer's
		x.note(actorPerson, offers[i].to, "", s.opts.Now())
	}
	s.move(x, offers[i].to, review{})
	return http.StatusSeeOther, ""
}

// offer is a button; its name is also its id in the page.
type offer struct {
	Name, Label string
	to          didit.Status
}

var offers = []offer{
	{"approve", "Approve", didit.StatusApproved},
	{"decline", "Decline", didit.StatusDeclined},
	{"review", "Send to review", didit.StatusInReview},
	{"abandon", "Abandon", didit.StatusAbandoned},
	{"resubmit", "Ask again", didit.StatusResubmitted},
}

// offersAt are the buttons of a status: the user's while the user must act, a reviewer's during a review.
func offersAt(st didit.Status) []offer {
	switch st {
	case didit.StatusInProgress, didit.StatusAwaitingUser, didit.StatusResubmitted, didit.StatusInReview:
	default:
		return nil
	}
	return slices.DeleteFunc(slices.Clone(offers), func(o offer) bool { return !canMove(st, o.to) })
}

// callbackURL is where Didit sends the browser. It proves nothing, because it is not signed.
func callbackURL(x Session) string {
	u, _ := url.Parse(x.Callback) // create has refused what it cannot parse
	q := u.Query()
	q.Set("verificationSessionId", x.ID)
	q.Set("status", string(x.Status))
	u.RawQuery = q.Encode()
	return u.String()
}

func seeOther(w http.ResponseWriter, target string) {
	pageHeaders(w, "'none'")
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// pageHeaders keep the link, which is a secret, out of caches and referrers.
func pageHeaders(w http.ResponseWriter, scripts string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src "+scripts+"; style-src 'unsafe-inline'; img-src data:; base-uri 'none'")
}

func renderPage(w http.ResponseWriter, r *http.Request, code int, v view) {
	scripts := "'none'"
	if framed(r) {
		v.Nonce = newToken()
		scripts = "'nonce-" + v.Nonce + "'"
	}
	pageHeaders(w, scripts)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_ = pageTemplate.Execute(w, v)
}
