package diditsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// attempt is a DeliveryAttempt as the API shows it.
type attempt struct {
	DeliveryAttempt
	id       string
	url      string
	delivery *delivery
	took     time.Duration
}

// listDeliveries is GET .../deliveries/ (https://docs.didit.me/management-api/webhook/list-deliveries), newest first: every
// attempt on its own, without its body. Days are its only filter.
func (s *Server) listDeliveries(t *target, r *http.Request, _ []byte) *answer {
	var all []*attempt
	for _, d := range slices.Backward(s.dispatcher.log) {
		if d.delivery.to == t && within(r.URL.Query(), d.At) {
			all = append(all, d)
		}
	}
	return paginate(r, all, 50, (*attempt).shown)
}

// showDelivery is GET .../deliveries/{uuid}/, with what was sent, both as JSON text.
func (s *Server) showDelivery(t *target, r *http.Request, _ []byte) *answer {
	for _, d := range s.dispatcher.log {
		if d.delivery.to != t || d.id != r.PathValue("delivery") {
			continue
		}
		shown := d.shown()
		req, body, err := d.delivery.request(r.Context(), d.url, t.secret)
		if err != nil {
			return detail(http.StatusInternalServerError, "Internal server error.")
		}
		header, _ := json.Marshal(flat(req.Header))
		shown["request_header"], shown["request_body"] = string(header), string(body)
		return ok(shown)
	}
	return notFound()
}

func (d *attempt) shown() map[string]any {
	shown := map[string]any{
		"uuid": d.id, "session_id": d.SessionID, "request_url": d.url, "response_status": nil,
		"response_time_ms": d.took.Milliseconds(), "status": d.Status, "webhook_type": d.Type, "created_at": isoTime(d.At),
	}
	if d.Code != 0 {
		shown["response_status"] = d.Code
	}
	return shown
}

func flat(h http.Header) map[string]string {
	all := map[string]string{}
	for name := range h {
		all[name] = h.Get(name)
	}
	return all
}
