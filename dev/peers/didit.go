package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"didit-temporal/didit/diditsim"
)

// simulated is a Didit on a loopback port, with a place for its webhooks beside it. It notes what reaches it.
type simulated struct {
	*diditsim.Server
	api, hooks *httptest.Server
	noNulls    atomic.Bool // drops the blocks of a decision that are null

	mu       sync.Mutex
	reached  []string
	webhooks []webhook
}

// webhook is one as it arrived; the body is in base64.
type webhook struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// Settings of the simulator. None of them is a secret.
const (
	apiKey        = "peers-api-key"                               //nolint:gosec // of the simulator
	webhookSecret = "peers-webhook-secret_0123456789abcdefghijkl" //nolint:gosec // of the simulator
	flow          = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

func newDidit() *simulated {
	d := &simulated{}
	d.Server = diditsim.New(diditsim.Options{
		APIKey: apiKey, WorkflowIDs: []string{flow}, Edit: d.edit, RetryDelays: []time.Duration{}, Limits: diditsim.Unlimited,
	})
	d.api, d.hooks = httptest.NewServer(http.HandlerFunc(d.note)), httptest.NewServer(http.HandlerFunc(d.take))
	d.SetWebhook(d.hooks.URL+"/kept", webhookSecret)
	return d
}

func (d *simulated) close() {
	d.Close()
	d.api.Close()
	d.hooks.Close()
}

func (d *simulated) edit(what string, body map[string]any) {
	if what != diditsim.EndpointDecision || !d.noNulls.Load() {
		return
	}
	for key, value := range body {
		if value == nil {
			delete(body, key)
		}
	}
}

// ids are what makes two paths of one route differ.
var ids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func (d *simulated) note(w http.ResponseWriter, r *http.Request) {
	rec := &statusWriter{ResponseWriter: w, code: http.StatusOK}
	d.ServeHTTP(rec, r)
	if strings.HasPrefix(r.URL.Path, "/session/") {
		return // a person, not a program
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reached = append(d.reached, fmt.Sprintf("%s %s %d", r.Method, ids.ReplaceAllString(r.URL.Path, "ID"), rec.code))
}

// since returns what has reached the simulator since the last time, and forgets it.
func (d *simulated) since() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.reached
	d.reached = nil
	return got
}

func (d *simulated) take(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || r.URL.Path != "/kept" {
		return
	}
	got := webhook{Headers: map[string]string{}, Body: base64.StdEncoding.EncodeToString(body)}
	for name := range r.Header {
		got.Headers[name] = r.Header.Get(name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.webhooks = append(d.webhooks, got)
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}
