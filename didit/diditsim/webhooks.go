package diditsim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// Of every webhook (https://docs.didit.me/integration/webhooks).
const (
	webhookAgent  = "DiditWebhook/2.0 +https://didit.me"
	applicationID = "00000000-0000-4000-8000-00000000d1d1" // invented
)

// event is a webhook: what its deliveries have in common.
type event struct {
	Event
	about     *session
	payload   map[string]any // without timestamp
	timestamp int64          // of the first attempt, for all; 0 before it
}

// announce sends an event about x as it is now. It needs s.mu.
func (s *Server) announce(x *session, kind, comment string) {
	x.events++
	e := &event{about: x, Event: Event{
		SessionID: x.ID, VendorData: x.VendorData, EventID: uuid.NewString(), Type: kind, Status: x.Status,
		N: x.events, Session: x.ordinal,
	}}
	x.newest = e
	e.payload = map[string]any{
		"event_id":         e.EventID,
		"webhook_type":     e.Type,
		"created_at":       x.UpdatedAt.Unix(),
		"application_id":   x.app.publicID(),
		"environment":      s.opts.Environment,
		"session_id":       x.ID,
		"session_kind":     x.flow.kind(),
		"status":           x.Status,
		"workflow_id":      x.WorkflowID,
		"workflow_version": workflowVersion,
		"vendor_data":      orNull(x.VendorData),
		"metadata":         orNull(x.Metadata),
	}
	if x.flow.business() {
		e.payload["business_session_id"], e.payload["vendor_business_id"] = x.ID, orNull(x.VendorData)
	}
	switch x.Status {
	case didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAbandoned:
		e.payload["decision"] = s.decisionOf(x)
	case didit.StatusResubmitted:
		e.payload["resubmit_info"] = x.resubmitInfo(comment)
	}
	e.payload, _ = s.edited(EditWebhook, e.payload).(map[string]any)
	s.dispatcher.send(e)
}

func (x *session) resubmitInfo(comment string) map[string]any {
	reasons := map[string]string{}
	for _, n := range x.resubmit {
		reasons[n.NodeID] = cmp.Or(comment, "to be repeated")
	}
	return map[string]any{"nodes_to_resubmit": x.resubmit, "reasons": reasons}
}

// ErrNoDestination is the error of Resend when nothing can be sent anywhere.
var ErrNoDestination = errors.New("diditsim: no webhook destination, or the Server is closed")

// Resend delivers the newest event of a session again, as a person may in Didit's console
// (https://docs.didit.me/integration/webhooks): the same event_id and content, with a fresh timestamp and fresh
// signatures. No script applies, and a failure is not retried, because the person sees it.
func (s *Server) Resend(sessionID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.byID[sessionID]
	if !ok {
		return ErrUnknownSession
	}
	to := s.dispatcher.subscribed(x.newest)
	if len(to) == 0 || s.dispatcher.closed {
		return ErrNoDestination
	}
	again := *x.newest
	again.timestamp = 0
	for _, t := range to {
		s.dispatcher.start(&delivery{event: &again, to: t})
	}
	return nil
}

// request builds the body of the next attempt, signs it in three ways and returns the request and its body.
func (p *delivery) request(ctx context.Context, url, secret string) (*http.Request, []byte, error) {
	payload := maps.Clone(p.payload)
	payload["timestamp"] = p.timestamp
	body, err := wireJSON(payload)
	if err != nil {
		return nil, nil, err
	}
	v2, err := didit.SignV2(secret, body)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for name, value := range map[string]string{
		"Content-Type":              "application/json",
		"User-Agent":                webhookAgent,
		didit.HeaderTimestamp:       strconv.FormatInt(p.timestamp, 10),
		didit.HeaderSignature:       p.sealed(didit.Sign(secret, body)),
		didit.HeaderSignatureV2:     p.sealed(v2),
		didit.HeaderSignatureSimple: p.sealed(didit.SignSimple(secret, p.timestamp, p.SessionID, string(p.Status), p.Type)),
	} {
		req.Header.Set(name, value)
	}
	return req, body, nil
}

// sealed makes a signature wrong if the script says so. It stays 64 hex digits.
func (p *delivery) sealed(signature string) string {
	switch {
	case !p.send.Corrupt:
		return signature
	case signature[0] == '0':
		return "1" + signature[1:]
	}
	return "0" + signature[1:]
}
