package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"didit-temporal/internal/config"
)

// resultsSecret signs results while Options.Results is set. It is public, and good for nothing else.
const resultsSecret = "whsec_c2ltdWxhdG9yLXJlc3VsdHMtc2VjcmV0LTMyIQ==" //nolint:gosec // of the simulated stack

// maxResult is more than any result has.
const maxResult = 1 << 20

// takeResults stands in for a signup service: it verifies each callback and prints it. The worker sends them here.
func (s *Stack) takeResults(ctx context.Context, worker *config.Worker) error {
	hook, err := standardwebhooks.NewWebhook(resultsSecret)
	if err != nil {
		return err
	}
	address, err := s.serve(ctx, 0, results{hook: hook, out: s.o.Results})
	if err != nil {
		return err
	}
	url := "http://" + address + "/results"
	worker.ResultURL, worker.ResultSecrets = config.NewSecret(url), []config.Secret{config.NewSecret(resultsSecret)}
	s.Addresses = append(s.Addresses, Address{Key: "results", Title: "Results", Value: url})
	return nil
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
