package diditsim

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// Of every webhook (https://docs.didit.me/integration/webhooks).
const (
	webhookAgent  = "DiditWebhook/2.0 +https://didit.me"
	applicationID = "00000000-0000-4000-8000-00000000d1d1" // invented
)

// event is one webhook on its way. Only the goroutine that delivers it touches it.
type event struct {
	session string
	id      string // the same on every attempt
	status  didit.Status
	payload map[string]any // without timestamp
	sentAt  int64          // the timestamp of the last attempt; 0 before the first
}

// announce sends status.updated for the status that x has now, the first one included. It needs s.mu.
func (s *Server) announce(x *session, comment string) {
	e := &event{session: x.ID, id: uuid.NewString(), status: x.Status}
	e.payload = map[string]any{
		"event_id":         e.id,
		"webhook_type":     didit.EventStatusUpdated,
		"created_at":       x.UpdatedAt.Unix(),
		"application_id":   applicationID,
		"environment":      s.opts.Environment,
		"session_id":       x.ID,
		"session_kind":     "user",
		"status":           x.Status,
		"workflow_id":      x.WorkflowID,
		"workflow_version": workflowVersion,
		"vendor_data":      textOrNull(x.VendorData),
		"metadata":         rawOrNull(x.Metadata),
	}
	switch x.Status {
	case didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAbandoned:
		e.payload["decision"] = s.decisionOf(x)
	case didit.StatusResubmitted:
		e.payload["resubmit_info"] = x.resubmitInfo(comment)
	}
	s.courier.send(e)
}

func (x *session) resubmitInfo(comment string) map[string]any {
	reasons := map[string]string{}
	for _, n := range x.resubmit {
		reasons[n.NodeID] = cmp.Or(comment, "to be repeated")
	}
	return map[string]any{"nodes_to_resubmit": x.resubmit, "reasons": reasons}
}

// request makes the body, signs it in the three ways and returns what to send. A retry keeps the old timestamp unless
// refresh is set.
func (e *event) request(ctx context.Context, url, secret string, now time.Time, refresh bool) (*http.Request, error) {
	if e.sentAt == 0 || refresh {
		e.sentAt = now.Unix()
	}
	payload := maps.Clone(e.payload)
	payload["timestamp"] = e.sentAt
	body, err := wireJSON(payload)
	if err != nil {
		return nil, err
	}
	v2, err := didit.SignV2(secret, body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Content-Type":              "application/json",
		"User-Agent":                webhookAgent,
		didit.HeaderTimestamp:       strconv.FormatInt(e.sentAt, 10),
		didit.HeaderSignature:       didit.Sign(secret, body),
		didit.HeaderSignatureV2:     v2,
		didit.HeaderSignatureSimple: didit.SignSimple(secret, e.sentAt, e.session, string(e.status), didit.EventStatusUpdated),
	} {
		req.Header.Set(name, value)
	}
	return req, nil
}
