package didit

import (
	"context"
	"time"
)

// DeliveryAttempt is one attempt of Didit to deliver a webhook to a destination: the first, an automatic retry or a
// resend. It names neither the event nor the user: GetDelivery has both.
type DeliveryAttempt struct {
	ID        string    `json:"uuid"`
	SessionID string    `json:"session_id"`      // empty for an event that is not about a session
	Type      string    `json:"webhook_type"`    // such as EventStatusUpdated
	Code      int       `json:"response_status"` // of the destination's answer; 0 if there was none
	At        time.Time `json:"created_at"`
}

// Delivered reports whether the destination answered with success.
func (d DeliveryAttempt) Delivered() bool { return d.Code/100 == 2 }

// ListDeliveriesRequest filters the deliveries of a destination. The days are UTC, both inclusive; zero is no bound.
// Didit has no other filter: neither by session nor by answer.
type ListDeliveriesRequest struct {
	From, To time.Time
	Limit    int // 0 leaves it to Didit (50)
	Offset   int
}

// DeliveryPage is one page of ListDeliveries, newest first.
type DeliveryPage struct {
	More     bool
	Attempts []DeliveryAttempt
}

// ListDeliveries returns one page of the attempts to deliver to a destination
// (https://docs.didit.me/management-api/webhook/list-deliveries). A scoped key needs webhooks:read and decisions:read. A new
// attempt moves the others down by one.
func (c *Client) ListDeliveries(ctx context.Context, destinationID string, r ListDeliveriesRequest) (DeliveryPage, error) {
	k := call{op: "list deliveries", path: deliveriesPath, ids: []string{destinationID}, query: page(r.Limit, r.Offset)}
	setDay(k.query, "date_from", r.From)
	setDay(k.query, "date_to", r.To)
	p, all, err := readPage(ctx, c, k, func(w wireDelivery) (DeliveryAttempt, error) { return w.attempt(k.op) })
	return DeliveryPage{More: p.more(), Attempts: all}, err
}

const deliveriesPath = destinationPath + "deliveries/"

// GetDelivery returns an attempt with the envelope of what Didit sent
// (https://docs.didit.me/management-api/webhook/get-delivery). The rest of the body is not decoded. The API key
// authenticates the answer, so no signature is checked.
func (c *Client) GetDelivery(ctx context.Context, destinationID, deliveryID string) (DeliveryAttempt, Event, error) {
	k := call{op: "get delivery", path: deliveriesPath + "%s/", ids: []string{destinationID, deliveryID}}
	w, err := send[wireDelivery](ctx, c, k)
	if err != nil {
		return DeliveryAttempt{}, Event{}, err
	}
	d, err := w.attempt(k.op)
	if err != nil {
		return DeliveryAttempt{}, Event{}, err
	}
	event, err := parseEvent([]byte(w.Body))
	if err != nil {
		return DeliveryAttempt{}, Event{}, badResponse(k.op, "request_body is no webhook")
	}
	return d, event, nil
}

// parseEvent reads the envelope of a webhook that is authenticated in another way.
func parseEvent(body []byte) (Event, error) {
	s := newScanner(body)
	defer s.release()
	if err := s.scan(); err != nil {
		return Event{}, err
	}
	return s.event()
}

type wireDelivery struct {
	DeliveryAttempt
	At   wireTime `json:"created_at"`
	Body string   `json:"request_body"` // JSON as text; in the answer for one delivery only
}

func (w wireDelivery) attempt(op string) (DeliveryAttempt, error) {
	if !isToken(w.ID) {
		return DeliveryAttempt{}, badResponse(op, "a delivery without a usable uuid")
	}
	w.DeliveryAttempt.At = w.At.Time
	return w.DeliveryAttempt, nil
}
