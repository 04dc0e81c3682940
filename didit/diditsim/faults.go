package diditsim

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// FaultKind is what a Fault does to a call.
type FaultKind int

// The kinds of a Fault. In all but AnswerStatus and HangUp the endpoint does the real thing, or refuses it, as without
// the fault: what the caller gets to know of it is what goes wrong.
const (
	AnswerStatus     FaultKind = iota // answers Fault.Status without doing anything
	CommitThenStatus                  // does it, then answers Fault.Status
	HangUp                            // closes the connection without doing or answering anything
	CommitThenHangUp                  // does it, then closes the connection without an answer
	HangUpThenCommit                  // closes the connection at once, and does it Fault.Delay later
	Slow                              // does it and answers the truth, with Fault.Delay before and Fault.DelayAnswer after doing it
)

// Fault is what goes wrong with a call. The zero value answers 500 to one call without doing anything.
type Fault struct {
	Kind   FaultKind
	Status int         // default 500
	Header http.Header // such as Retry-After
	Body   string
	Times  int // how many calls get it; default 1
	// Delay goes before all else, and for HangUpThenCommit after hanging up. A caller who gives up during it has
	// prevented what Didit would have done, except with HangUpThenCommit.
	Delay time.Duration
	// DelayAnswer goes before the answer, or before hanging up: what was to be done is done, even if the caller gives up now.
	DelayAnswer time.Duration
	// VendorData, if set, spares calls about anybody else: a create or a list by its vendor_data, the rest by that of
	// the session in the path.
	VendorData string
	// Match, if set, spares the calls for which it returns false. It may read the body.
	Match func(*http.Request) bool
}

// FailNext makes the next calls fail whose method is method (empty: any) and whose path begins with pathPrefix.
// Faults are used up in the order in which they were added.
func (s *Server) FailNext(method, pathPrefix string, f Fault) {
	if f.Status == 0 {
		f.Status = http.StatusInternalServerError
	}
	f.Times = max(f.Times, 1)
	f.Header = f.Header.Clone()
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.faults = append(s.script.faults, &plannedFault{Fault: f, method: method, prefix: pathPrefix})
}

// ClearFaults forgets the faults that no call has met yet.
func (s *Server) ClearFaults() {
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.faults = nil
}

type plannedFault struct {
	Fault
	method, prefix string
}

// fits leaves out what needs the body.
func (p *plannedFault) fits(r *http.Request) bool {
	return (p.method == "" || p.method == r.Method) && strings.HasPrefix(r.URL.Path, p.prefix)
}

// fault takes the first planned fault that fits r. It reads the body ahead only if some fault may fit.
func (s *Server) fault(r *http.Request) (Fault, bool) {
	candidates := s.script.candidates(r)
	if len(candidates) == 0 {
		return Fault{}, false
	}
	call := s.peek(r)
	for _, p := range candidates {
		if p.VendorData != "" && p.VendorData != call.vendorData() {
			continue
		}
		if p.Match != nil && !p.Match(call.copy()) { // unlocked: it may ask the Server
			continue
		}
		if s.script.take(p) {
			return p.Fault, true
		}
	}
	return Fault{}, false
}

func (s *script) candidates(r *http.Request) []*plannedFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fit []*plannedFault
	for _, p := range s.faults {
		if p.fits(r) {
			fit = append(fit, p)
		}
	}
	return fit
}

// take uses p up once, unless other calls have been faster.
func (s *script) take(p *plannedFault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.faults, p)
	if i < 0 {
		return false
	}
	if p.Times--; p.Times == 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return true
}

// suffer answers r as f says; act is what would have been done without it.
func (s *Server) suffer(f Fault, w *recorder, r *http.Request, act http.HandlerFunc) {
	if f.Kind == HangUpThenCommit {
		w.hangUp(r)
		r = r.WithContext(context.WithoutCancel(r.Context()))
		if s.pause(r.Context(), f.Delay) {
			act(newDraft(), r)
		}
		return
	}
	truth := newDraft()
	alive := s.pause(r.Context(), f.Delay)
	if alive && f.Kind != AnswerStatus && f.Kind != HangUp {
		act(truth, r)
	}
	alive = alive && s.pause(r.Context(), f.DelayAnswer)
	switch {
	case !alive, f.Kind == HangUp, f.Kind == CommitThenHangUp:
		w.hangUp(r)
	case f.Kind == Slow:
		truth.write(w)
	default:
		f.write(w)
	}
}

// pause waits for d or the end of the Server, and reports whether ctx is still alive.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.dispatcher.stop:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func (f Fault) write(w http.ResponseWriter) {
	if strings.HasPrefix(f.Body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}

// draft is an answer that has not been sent, and may never be.
type draft struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func newDraft() *draft { return &draft{header: http.Header{}, code: http.StatusOK} }

func (d *draft) Header() http.Header         { return d.header }
func (d *draft) WriteHeader(code int)        { d.code = code }
func (d *draft) Write(b []byte) (int, error) { return d.body.Write(b) }

func (d *draft) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), d.header)
	w.WriteHeader(d.code)
	_, _ = w.Write(d.body.Bytes())
}
