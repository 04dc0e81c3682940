package api

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const (
	token    = "t0ken-of-the-shop-s3cret"
	newToken = "t0ken-of-the-shop-s3cret-too"
	opsToken = "t0ken-of-operations-s3cret"
	flowID   = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	pageURL  = "https://verify.didit.me/session/s3cret?a=1&b=2"
)

// fake is a Verifications of functions that counts what reaches it.
type fake struct {
	mu    sync.Mutex
	calls int
	start func(context.Context, kyc.Input) (kyc.Started, error)
	find  func(context.Context, string) (kyc.Found, error)
	list  func(context.Context, kyc.Filter) (kyc.Page, error)

	findEnded func(ctx context.Context, userID, runID string) (kyc.Found, error) // nil: as find

	timeline func(context.Context, string) ([]ops.Step, error)
	update   func(ctx context.Context, what, userID string, r ops.Request) (kyc.State, error)
	operate  func(context.Context, kyc.Operation) (kyc.OperationResult, error)
}

func (f *fake) count() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
}

func (f *fake) Start(ctx context.Context, in kyc.Input) (kyc.Started, error) {
	f.count()
	return f.start(ctx, in)
}

func (f *fake) Find(ctx context.Context, userID string) (kyc.Found, error) {
	f.count()
	return f.find(ctx, userID)
}

func (f *fake) FindEnded(ctx context.Context, userID, runID string) (kyc.Found, error) {
	if f.findEnded == nil {
		return f.Find(ctx, userID)
	}
	f.count()
	return f.findEnded(ctx, userID, runID)
}

// List is not counted: it is asked for all that wait together.
func (f *fake) List(ctx context.Context, filter kyc.Filter) (kyc.Page, error) {
	if f.list == nil {
		return kyc.Page{}, nil
	}
	return f.list(ctx, filter)
}

func (f *fake) Timeline(ctx context.Context, userID string) ([]ops.Step, error) {
	f.count()
	return f.timeline(ctx, userID)
}

func (f *fake) Cancel(ctx context.Context, userID string, r ops.Request) (kyc.State, error) {
	f.count()
	return f.update(ctx, kyc.UpdateCancel, userID, r)
}

func (f *fake) Refresh(ctx context.Context, userID string, r ops.Request) (kyc.State, error) {
	f.count()
	return f.update(ctx, kyc.UpdateRefresh, userID, r)
}

func (f *fake) Operate(ctx context.Context, op kyc.Operation) (kyc.OperationResult, error) {
	f.count()
	return f.operate(ctx, op)
}

// bench is an API over a fake.
type bench struct {
	fake
	*API
	t       *testing.T
	handler http.Handler
	log     bytes.Buffer
}

func newBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t}
	o := Options{
		Verifications: &b.fake, Operators: &b.fake, Records: &b.fake, Log: slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Callers: []Caller{{Name: "shop", Token: token}, {Name: "shop", Token: newToken}, {Name: "operations", Token: opsToken}},
	}
	if change != nil {
		change(&o)
	}
	b.API = New(o)
	b.handler = b.Handler()
	t.Cleanup(b.Drain)
	return b
}

// request makes a request of a caller that does everything right; change spoils it.
func (b *bench) request(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	b.t.Helper()
	req := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	if method == http.MethodPost || method == http.MethodDelete {
		req.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(req)
	}
	rec := httptest.NewRecorder()
	b.handler.ServeHTTP(rec, req)
	return rec
}

func (b *bench) post(body string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.request(http.MethodPost, Path, body, nil)
}

func (b *bench) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.request(http.MethodGet, path, "", nil)
}

// problemIn checks that an answer is a problem document, as every one that is no success must be.
func problemIn(t *testing.T, rec *httptest.ResponseRecorder) Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"), rec.Body)
	var p Problem
	d := json.NewDecoder(rec.Body)
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&p))
	require.Equal(t, rec.Code, p.Status)
	require.True(t, strings.HasPrefix(p.Type, problems))
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, rec.Header().Get(headerRequestID), p.RequestID)
	return p
}

func (p Problem) name() string { return strings.TrimPrefix(p.Type, problems) }

func newOne(userID string) kyc.Started {
	return kyc.Started{
		State:   kyc.State{UserID: userID, SessionID: "session-1", WorkflowID: flowID, Status: didit.StatusNotStarted, Attempt: 1},
		Session: kyc.Session{SessionID: "session-1", SessionToken: "t0ken", URL: pageURL, Status: didit.StatusNotStarted},
		RunID:   "run-1", New: true,
	}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func approved(userID string) kyc.State {
	return kyc.State{
		UserID: userID, SessionID: "session-1", WorkflowID: flowID, Status: didit.StatusApproved, Outcome: kyc.OutcomeApproved, Attempt: 2,
		Checks: []kyc.Check{{Feature: "ID_VERIFICATION", Status: "Approved"}}, Warnings: []string{"LOW_LIGHT"}, UpdatedAt: noon, CheckedAt: noon,
	}
}
