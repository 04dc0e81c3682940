package diditsim

import (
	"encoding/json"
	"net/http"
	"strings"
)

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
