package diditsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

const (
	apiKey = "sim-key"
	secret = "sim-secret_not-a-real-credential_0000000000"
	flow   = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	flow2  = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// bundle is a served simulator with a client of its API.
type bundle struct {
	*diditsim.Server
	api *didit.Client
	url string
}

func start(t *testing.T, o diditsim.Options) bundle {
	t.Helper()
	if o.APIKey == "" {
		o.APIKey = apiKey
	}
	sim := diditsim.New(o)
	srv := httptest.NewServer(sim)
	t.Cleanup(func() {
		srv.Close()
		sim.Close()
	})
	c, err := didit.NewClient(didit.ClientOptions{BaseURL: srv.URL, APIKey: apiKey})
	require.NoError(t, err)
	return bundle{sim, c, srv.URL}
}

// create makes a session for a user of its own.
func (b bundle) create(t *testing.T, vendorData string) didit.Session {
	t.Helper()
	s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, VendorData: vendorData})
	require.NoError(t, err)
	return s
}

// remove deletes a session as a client would.
func (b bundle) remove(t *testing.T, id string) {
	t.Helper()
	_, err := b.api.DeleteSession(t.Context(), id, didit.DeleteSessionRequest{})
	require.NoError(t, err)
}

// ways leads from Not Started to each status, Not Started itself excepted.
var ways = map[didit.Status][]didit.Status{
	didit.StatusNotStarted:   {},
	didit.StatusInProgress:   {didit.StatusInProgress},
	didit.StatusAwaitingUser: {didit.StatusInProgress, didit.StatusAwaitingUser},
	didit.StatusInReview:     {didit.StatusInProgress, didit.StatusInReview},
	didit.StatusApproved:     {didit.StatusInProgress, didit.StatusApproved},
	didit.StatusDeclined:     {didit.StatusInProgress, didit.StatusDeclined},
	didit.StatusResubmitted:  {didit.StatusInProgress, didit.StatusInReview, didit.StatusResubmitted},
	didit.StatusAbandoned:    {didit.StatusInProgress, didit.StatusAbandoned},
	didit.StatusExpired:      {didit.StatusExpired},
	didit.StatusKycExpired:   {didit.StatusInProgress, didit.StatusApproved, didit.StatusKycExpired},
}

// bring takes a new session to a status.
func (b bundle) bring(t *testing.T, id string, st didit.Status) {
	t.Helper()
	for _, next := range ways[st] {
		require.NoError(t, b.SetStatus(id, next))
	}
}

// releaseAll releases every session, in the order of creation.
func (b bundle) releaseAll() (n int) {
	for _, s := range b.Sessions() {
		n += b.Release(s.ID)
	}
	return n
}

// call sends one raw request; key "" sends none. It follows no redirect.
func (b bundle) call(t *testing.T, method, path, key, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	if method == http.MethodPost && strings.HasPrefix(path, "/session/") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, string(text)
}

func refusal(t *testing.T, err error) *didit.APIError {
	t.Helper()
	e, ok := errors.AsType[*didit.APIError](err)
	require.True(t, ok, "want an APIError, got %v", err)
	return e
}

// hook is one webhook as it arrived.
type hook struct {
	header http.Header
	raw    string
	body   map[string]any
}

// receiver records webhooks and answers as the test says.
type receiver struct {
	url string

	mu     sync.Mutex
	got    []hook
	answer func(n int, h hook) int // n counts from 1; nil answers 200
}

func receive(t *testing.T, answer func(n int, h hook) int) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	raw, _ := io.ReadAll(req.Body)
	h := hook{header: req.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &h.body)
	r.mu.Lock()
	r.got = append(r.got, h)
	n, answer := len(r.got), r.answer
	r.mu.Unlock()
	if answer == nil {
		return
	}
	if code := answer(n, h); code != 0 {
		w.Header().Set("Location", "/followed")
		w.WriteHeader(code)
		return
	}
	<-req.Context().Done() // 0: hang until the sender gives up
}

func (r *receiver) hooks() []hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]hook(nil), r.got...)
}

// statuses of the webhooks in the order of arrival.
func (r *receiver) statuses() []string {
	var all []string
	for _, h := range r.hooks() {
		all = append(all, h.body["status"].(string))
	}
	return all
}

// settle waits until every webhook is delivered or given up.
func (b bundle) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, b.Wait(ctx))
}
