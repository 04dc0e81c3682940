package diditsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// readAhead reads the body of r and puts it back. What is over the limit, or broken, stays so for the next reader.
func readAhead(r *http.Request) []byte {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return body
}

// copyOf is a call like r with a body of its own.
func copyOf(r *http.Request, body []byte) *http.Request {
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
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
