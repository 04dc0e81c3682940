package diditsim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"
)

// FaultKind is what a Fault does to a call.
type FaultKind int

// The kinds of a Fault. In all but AnswerStatus and HangUp the endpoint processes or refuses the call as without the fault;
// only what the caller sees of it differs.
const (
	AnswerStatus     FaultKind = iota // answers Fault.Status and does not process the call
	CommitThenStatus                  // processes the call, then answers Fault.Status
	HangUp                            // closes the connection; neither processes nor answers the call
	CommitThenHangUp                  // processes the call, then closes the connection without an answer
	HangUpThenCommit                  // closes the connection at once, and processes the call after Fault.Delay
	Slow                              // processes and answers the call, with Fault.Delay before and Fault.DelayAnswer after it
)

// Fault is a failure of a call. The zero value answers 500 to one call and does not process it.
type Fault struct {
	Kind   FaultKind
	Status int         // default 500
	Header http.Header // such as Retry-After
	Body   string
	Times  int // how many calls fail; default 1
	// Delay comes before all else, and with HangUpThenCommit after hanging up. A caller that gives up during it prevents
	// the processing, except with HangUpThenCommit.
	Delay time.Duration
	// DelayAnswer comes before the answer, or before hanging up. The call is processed, even if the caller gives up now.
	DelayAnswer time.Duration
	// VendorData, if set, limits the Fault to calls about that user: a create or a list by its vendor_data, the rest by that
	// of the session in the path.
	VendorData string
	// Match, if set, limits the Fault to the calls for which it returns true. It may read the body.
	Match func(*http.Request) bool
}

// FailNext makes the next calls fail whose method is method (empty: any) and whose path begins with pathPrefix.
// Faults apply in the order in which they were added.
func (s *Server) FailNext(method, pathPrefix string, f Fault) {
	if f.Status == 0 {
		f.Status = http.StatusInternalServerError
	}
	f.Times = max(f.Times, 1)
	f.Header = f.Header.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &plannedFault{Fault: f, method: method, prefix: pathPrefix})
}

// ClearFaults removes the faults that no call has met yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

type plannedFault struct {
	Fault
	method, prefix string
}

// fault takes the first planned fault that fits r. It reads the body ahead only if a fault may fit.
func (s *Server) fault(r *http.Request) (Fault, bool) {
	candidates := s.candidates(r)
	if len(candidates) == 0 {
		return Fault{}, false
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxRequest+1)) // what is too long stays too long
	unread := func() { r.Body = io.NopCloser(bytes.NewReader(body)) }
	defer unread()
	for _, p := range candidates {
		if p.VendorData != "" && p.VendorData != s.vendorOf(r, body) {
			continue
		}
		unread()
		if p.Match != nil && !p.Match(r) { // unlocked: it may call the Server
			continue
		}
		if s.take(p) {
			return p.Fault, true
		}
	}
	return Fault{}, false
}

// candidates are the faults that fit r as far as its method and path say.
func (s *Server) candidates(r *http.Request) []*plannedFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.faults), func(p *plannedFault) bool {
		return (p.method != "" && p.method != r.Method) || !strings.HasPrefix(r.URL.Path, p.prefix)
	})
}

// take uses p once, unless other calls have used it up.
func (s *Server) take(p *plannedFault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.faults, p) {
		return false
	}
	if p.Times--; p.Times == 0 {
		s.faults = without(s.faults, p)
	}
	return true
}

// fail answers r as f says; act processes the call.
func (s *Server) fail(f Fault, w *recorder, r *http.Request, act http.HandlerFunc) {
	answer := httptest.NewRecorder()
	if f.Kind == HangUpThenCommit {
		w.hangUp(r)
		r = r.WithContext(context.WithoutCancel(r.Context()))
		if s.pause(r.Context(), f.Delay) {
			act(answer, r)
		}
		return
	}
	alive := s.pause(r.Context(), f.Delay)
	if alive && f.Kind != AnswerStatus && f.Kind != HangUp {
		act(answer, r)
	}
	alive = alive && s.pause(r.Context(), f.DelayAnswer)
	switch {
	case !alive, f.Kind == HangUp, f.Kind == CommitThenHangUp:
		w.hangUp(r)
	case f.Kind == Slow:
		write(w, answer.Code, answer.Header(), answer.Body.Bytes())
	default:
		if strings.HasPrefix(f.Body, "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		write(w, f.Status, f.Header, []byte(f.Body))
	}
}

// pause waits for d or the end of the Server, and reports whether ctx is still alive.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-time.After(d):
	case <-s.dispatcher.stop:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func write(w http.ResponseWriter, code int, header http.Header, body []byte) {
	maps.Copy(w.Header(), header)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// vendorOf is the vendor_data of the user that a call is about; empty if it is about none in particular.
func (s *Server) vendorOf(r *http.Request, body []byte) string {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var create createBody
	var users deleteUsersBody
	switch {
	case path[0] == "session" && len(path) > 1: // the hosted page
		return s.vendorIn(s.byToken, path[1])
	case len(path) > 2 && path[1] == "session", len(path) > 3 && path[1] == "sessions":
		return s.vendorIn(s.byID, path[2])
	case strings.HasSuffix(r.URL.Path, "/users/delete/") && json.Unmarshal(body, &users) == nil && len(users.VendorData) == 1:
		return users.VendorData[0]
	case r.Method == http.MethodPost && json.Unmarshal(body, &create) == nil:
		return create.VendorData
	}
	return r.URL.Query().Get("vendor_data")
}

func (s *Server) vendorIn(sessions map[string]*session, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := sessions[name]; x != nil {
		return x.VendorData
	}
	return ""
}
