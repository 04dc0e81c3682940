// Package signup is a tiny signup service: a page and the backend that it needs. It shows what docs/guides/frontend.md says, and
// keeps nothing but a cookie with the user's id, which a real service takes from its login.
package signup

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed index.html
var page []byte

// Options configures New. All but SDK are required.
type Options struct {
	API, Token string // of `starter serve`
	SDK        string // file of Didit's sdk-web for browsers; empty: the page uses a frame of its own
	Public     string // the address of the page
}

// New serves the page at / and its backend beside it.
func New(o Options) http.Handler {
	s := &service{o: o, client: &http.Client{Timeout: time.Minute}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("GET /sdk.js", s.sdk)
	mux.HandleFunc("POST /start", s.start)
	mux.HandleFunc("GET /state", s.state)
	return mux
}

type service struct {
	o      Options
	client *http.Client
}

const cookie = "signup_user"

// show gives a visitor an id. A return from Didit lands here too: what its query says proves nothing, so it is not read.
func (s *service) show(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(cookie); err != nil || r.URL.Query().Has("new") {
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: "signup-" + rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // plain http on this machine
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(page)
}

func (s *service) sdk(w http.ResponseWriter, r *http.Request) {
	if s.o.SDK == "" {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, s.o.SDK)
}

// start starts the visitor's verification, or joins it.
func (s *service) start(w http.ResponseWriter, r *http.Request) {
	s.forward(w, r, func(ctx context.Context, user string) (*http.Request, error) {
		body, err := json.Marshal(map[string]string{"user_id": user, "return_url": s.o.Public + "/"})
		if err != nil {
			return nil, err
		}
		return http.NewRequestWithContext(ctx, http.MethodPost, s.o.API+"/v1/verifications", bytes.NewReader(body))
	})
}

// state asks how the verification stands, and waits some seconds for its end.
func (s *service) state(w http.ResponseWriter, r *http.Request) {
	s.forward(w, r, func(ctx context.Context, user string) (*http.Request, error) {
		target := s.o.API + "/v1/verifications/" + url.PathEscape(user)
		if wait := r.URL.Query().Get("wait"); wait != "" {
			target += "?wait=" + url.QueryEscape(wait)
		}
		return http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody) //nolint:gosec // the API's own address
	})
}

// visible are the fields of the API's answer that a browser gets: no checks, no ids.
var visible = [...]string{"status", "outcome", "url"}

// forward makes a call of the API about the user of the cookie. The token stays here.
func (s *service) forward(w http.ResponseWriter, r *http.Request, ask func(context.Context, string) (*http.Request, error)) {
	user, err := r.Cookie(cookie)
	if err != nil {
		http.Error(w, "no cookie: open the page first", http.StatusBadRequest)
		return
	}
	code, answer, err := s.call(r.Context(), user.Value, ask)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	shown := map[string]any{}
	for _, name := range visible {
		shown[name] = answer[name]
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(shown)
}

func (s *service) call(ctx context.Context, user string, ask func(context.Context, string) (*http.Request, error)) (int, map[string]any, error) {
	req, err := ask(ctx, user)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.o.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("call the API: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, nil, fmt.Errorf("read the API's answer: %w", err)
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, nil, fmt.Errorf("the API answered %s: %s", res.Status, strings.TrimSpace(string(body)))
	}
	return res.StatusCode, answer, nil
}
