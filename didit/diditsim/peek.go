package diditsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// peeked is a call whose body has been read ahead, so that it can be read again and again.
type peeked struct {
	server *Server
	r      *http.Request
	body   []byte
	vendor *string // once it was asked for
}

// peek reads the body of r ahead and puts it back. What is over the limit, or broken, stays so for the next reader.
func (s *Server) peek(r *http.Request) *peeked {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return &peeked{server: s, r: r, body: body}
}

// copy is a call like r with a body of its own.
func (p *peeked) copy() *http.Request {
	r := p.r.Clone(p.r.Context())
	r.Body = io.NopCloser(bytes.NewReader(p.body))
	return r
}

// vendorData is whom the call is about; empty if about nobody in particular.
func (p *peeked) vendorData() string {
	if p.vendor == nil {
		v := p.findVendor()
		p.vendor = &v
	}
	return *p.vendor
}

func (p *peeked) findVendor() string {
	path := strings.Split(strings.Trim(p.r.URL.Path, "/"), "/")
	var b createBody
	var users deleteUsersBody
	switch {
	case path[0] == "session" && len(path) > 1: // the hosted page
		return p.server.vendorOf(func(s *Server) *session { return s.byToken[path[1]] })
	case len(path) > 2 && path[1] == "session", len(path) > 3 && path[1] == "sessions":
		return p.server.vendorOf(func(s *Server) *session { return s.byID[path[2]] })
	case strings.HasSuffix(p.r.URL.Path, "/users/delete/") && json.Unmarshal(p.body, &users) == nil && len(users.VendorData) == 1:
		return users.VendorData[0]
	case p.r.Method == http.MethodPost && json.Unmarshal(p.body, &b) == nil:
		return b.VendorData
	}
	return p.r.URL.Query().Get("vendor_data")
}

func (s *Server) vendorOf(find func(*Server) *session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := find(s); x != nil {
		return x.VendorData
	}
	return ""
}
