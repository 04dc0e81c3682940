package didit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// DeliveryAttempt is one attempt of Didit to deliver a webhook to a destination: the first, an automatic retry or a
// resend. It does not name the event, nor the user: GetDelivery has both.
type DeliveryAttempt struct {
	ID        string
	SessionID string // empty for an event that is not about a session
	Type      string // such as EventStatusUpdated
	Code      int    // of the destination's answer; 0 if there was none
	At        time.Time
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
// (https://docs.didit.me/management-api/webhook/list-deliveries). A scoped key needs webhooks:read and decisions:read. An
// attempt that Didit makes meanwhile moves the others one down.
func (c *Client) ListDeliveries(ctx context.Context, destinationID string, r ListDeliveriesRequest) (DeliveryPage, error) {
	const op = "list deliveries"
	if !isToken(destinationID) {
		return DeliveryPage{}, notADestination()
	}
	q := page(r.Limit, r.Offset)
	setDay(q, "date_from", r.From)
	setDay(q, "date_to", r.To)
	path := destinationsPath + url.PathEscape(destinationID) + "/deliveries/"
	body, err := c.do(ctx, call{op: op, method: http.MethodGet, path: path, query: q, success: []int{http.StatusOK}})
	if err != nil {
		return DeliveryPage{}, err
	}
	items, more, err := parseItems(op, body)
	if err != nil {
		return DeliveryPage{}, err
	}
	all, err := each(op, items, func(w wireDelivery) (DeliveryAttempt, error) { return w.attempt(op) })
	return DeliveryPage{More: more, Attempts: all}, err
}

// GetDelivery returns an attempt with the envelope of what was sent
// (https://docs.didit.me/management-api/webhook/get-delivery). Nothing else of the body is decoded. The answer proves itself by
// the API key, so no signature is checked.
func (c *Client) GetDelivery(ctx context.Context, destinationID, deliveryID string) (DeliveryAttempt, Event, error) {
	const op = "get delivery"
	if !isToken(destinationID) || !isToken(deliveryID) {
		return DeliveryAttempt{}, Event{}, notADestination()
	}
	path := destinationsPath + url.PathEscape(destinationID) + "/deliveries/" + url.PathEscape(deliveryID) + "/"
	body, err := c.do(ctx, call{op: op, method: http.MethodGet, path: path, success: []int{http.StatusOK}})
	if err != nil {
		return DeliveryAttempt{}, Event{}, err
	}
	var w wireDelivery
	if err := decode(op, body, &w); err != nil {
		return DeliveryAttempt{}, Event{}, err
	}
	d, err := w.attempt(op)
	if err != nil {
		return DeliveryAttempt{}, Event{}, err
	}
	event, err := parseEvent([]byte(w.Body))
	if err != nil {
		return DeliveryAttempt{}, Event{}, badResponse(op, "request_body is no webhook")
	}
	return d, event, nil
}

// parseEvent reads the envelope of a webhook that has proved itself otherwise.
func parseEvent(body []byte) (Event, error) {
	s := newScanner(body)
	defer s.release()
	if err := s.scan(); err != nil {
		return Event{}, err
	}
	return s.event()
}

func notADestination() error {
	return fmt.Errorf("%w: not the id of a destination or of a delivery", ErrInvalidArgument)
}

type wireDelivery struct {
	ID        string `json:"uuid"`
	SessionID string `json:"session_id"`
	Type      string `json:"webhook_type"`
	Code      int    `json:"response_status"` // null without an answer
	At        string `json:"created_at"`
	Body      string `json:"request_body"` // JSON as text; in the answer for one delivery only
}

func (w wireDelivery) attempt(op string) (DeliveryAttempt, error) {
	if !isToken(w.ID) {
		return DeliveryAttempt{}, badResponse(op, "a delivery without a usable uuid")
	}
	return DeliveryAttempt{ID: w.ID, SessionID: w.SessionID, Type: w.Type, Code: w.Code, At: parseTime(w.At)}, nil
}

// page is the query of a page.
func page(limit, offset int) url.Values {
	q := url.Values{}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	return q
}

// setDay adds a bound that is a day in UTC.
func setDay(q url.Values, name string, day time.Time) {
	if !day.IsZero() {
		q.Set(name, day.UTC().Format(time.DateOnly))
	}
}
