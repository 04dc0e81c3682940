package diditsim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Call is an endpoint and the status code of its answer, 0 if the Server hung up instead.
type Call struct {
	Endpoint string
	Code     int
}

// Calls returns how often each endpoint was called, by the status code of its answer; calls that met a fault or a
// redirect are among them.
func (s *Server) Calls() map[Call]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// CallCount returns how often endpoint was called; with codes, how often it answered one of them.
func (s *Server) CallCount(endpoint string, codes ...int) int {
	n := 0
	for c, times := range s.Calls() {
		if c.Endpoint == endpoint && (len(codes) == 0 || slices.Contains(codes, c.Code)) {
			n += times
		}
	}
	return n
}

// recorder counts an answer before its first byte is sent, so that the reader of an answer finds it counted.
type recorder struct {
	http.ResponseWriter
	server   *Server
	endpoint string
}

func (r *recorder) count(code int) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.server.calls[Call{Endpoint: r.endpoint, Code: code}]++
}

// WriteHeader is called once by every handler of a Server.
func (r *recorder) WriteHeader(code int) {
	r.count(code)
	r.ResponseWriter.WriteHeader(code)
}

// hangUp closes the connection without an answer. Where it cannot take over the connection, as with HTTP/2, it answers 502.
func (r *recorder) hangUp(req *http.Request) {
	conn, _, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err != nil {
		r.WriteHeader(http.StatusBadGateway)
		return
	}
	r.count(0)
	if req.Method != http.MethodPost { // Go's client repeats a GET if no byte came; half a line prevents that
		_, _ = conn.Write([]byte("HTTP/1.1 "))
	}
	_ = conn.Close()
}

// endpoint returns the name of the endpoint that r is for. If r lacks only the slash at the end, it also returns the target
// of the redirect.
func (s *Server) endpoint(r *http.Request) (name, slashed string) {
	if !simulates(r.URL.Path) {
		return EndpointNotSimulated, ""
	}
	probe := *r
	if strings.HasPrefix(r.URL.Path, "/v3/") && !strings.HasSuffix(r.URL.Path, "/") && !strings.HasSuffix(r.URL.Path, "/generate-pdf") {
		u := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
		probe.URL, slashed = &u, u.String()
	}
	_, pattern := s.mux.Handler(&probe)
	if pattern == "" {
		return EndpointNone, ""
	}
	return strings.TrimSuffix(pattern, "{$}"), slashed
}
