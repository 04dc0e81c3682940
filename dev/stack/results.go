package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"didit-temporal/internal/config"
)

// resultsSecret signs results while Options.Results is set. It is public, and good for nothing else.
const resultsSecret = "whsec_c2ltdWxhdG9yLXJlc3VsdHMtc2VjcmV0LTMyIQ==" //nolint:gosec // of the simulated stack

// maxResult is more than any result has.
const maxResult = 1 << 20

// startResults stands in for a signup service: it verifies each callback and prints it.
func startResults(ctx context.Context, s *Stack) error {
	hook, err := standardwebhooks.NewWebhook(resultsSecret)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(s.o.IP, "0"))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: results{hook: hook, out: s.o.Results}, ReadTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(listener) }() // ends with Close
	s.stops = append(s.stops, srv.Close)
	s.resultURL = "http://" + listener.Addr().String() + "/results"
	s.Addresses = append(s.Addresses, Address{Key: "results", Title: "Results", Value: s.resultURL})
	return nil
}

// toldResults are the settings by which the worker sends results here.
func (s *Stack) toldResults(cfg config.Worker) config.Worker {
	if s.resultURL != "" {
		cfg.ResultURL, cfg.ResultSecrets = config.NewSecret(s.resultURL), []config.Secret{config.NewSecret(resultsSecret)}
	}
	return cfg
}

type results struct {
	hook *standardwebhooks.Webhook
	out  io.Writer
}

// ServeHTTP answers as docs/guides/callbacks.md wants it.
func (r results) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxResult))
	if err == nil {
		err = r.hook.Verify(body, req.Header)
	}
	if err != nil {
		fmt.Fprintf(r.out, "callback REFUSED: %v\n", err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprintln(r.out, line(req.Header.Get("Webhook-Id"), body))
	w.WriteHeader(http.StatusNoContent)
}

// line is one callback for a person, and below it the whole message.
func line(id string, body []byte) string {
	var message struct {
		Type string `json:"type"`
		Data struct {
			UserID  string `json:"user_id"`
			Status  string `json:"status"`
			Outcome string `json:"outcome"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return fmt.Sprintf("callback %s, verified, is no JSON object: %v", id, err)
	}
	return fmt.Sprintf("callback %s, verified: user %s, status %q, outcome %q\n  %s", message.Type, message.Data.UserID, message.Data.Status, message.Data.Outcome, body)
}
