package didit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// WebhookVersion is the shape of webhooks that this package reads.
const WebhookVersion = "v3"

// Destination is where Didit sends webhooks. URL is told as it is: put no password into it.
type Destination struct {
	ID      string
	Label   string
	URL     string
	Enabled bool
	Version string
	Events  []string
	// Secret signs the webhooks of this destination. Lists come without it: GetDestination has it.
	Secret       Sensitive
	Health       string // only in lists; empty if Didit did not say
	Deliveries   int64
	Failed       int64
	LastDelivery time.Time // zero if there was none
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// CreateDestinationRequest is the body of POST /v3/webhook/destinations/.
type CreateDestinationRequest struct {
	Label   string `json:"label"`
	URL     string `json:"url"` // Didit wants HTTPS and a public host, and each URL once per application
	Enabled bool   `json:"enabled"`
	// Version of the webhooks; empty is WebhookVersion.
	Version string `json:"webhook_version"`
	// Events are the exact names, such as EventStatusUpdated; at least one.
	Events []string `json:"subscribed_events"`
}

// UpdateDestinationRequest is the body of PATCH /v3/webhook/destinations/{uuid}/. What is nil stays as it is.
type UpdateDestinationRequest struct {
	Label   *string `json:"label,omitempty"`
	URL     *string `json:"url,omitempty"`
	Enabled *bool   `json:"enabled,omitempty"`
	Version *string `json:"webhook_version,omitempty"`
	// Events replaces all events; nothing is merged.
	Events []string `json:"subscribed_events,omitempty"`
}

const destinationsPath = "/v3/webhook/destinations/"

// ListDestinations returns all destinations, without their secrets
// (https://docs.didit.me/management-api/webhook/list-destinations).
func (c *Client) ListDestinations(ctx context.Context) ([]Destination, error) {
	const op = "list destinations"
	items, err := c.items(ctx, op, destinationsPath)
	if err != nil {
		return nil, err
	}
	return each(op, items, func(w wireDestination) (Destination, error) { return w.destination(op, false) })
}

// GetDestination returns one destination with its secret (https://docs.didit.me/management-api/webhook/get-destination).
func (c *Client) GetDestination(ctx context.Context, id string) (Destination, error) {
	return c.destination(ctx, call{op: "get destination", method: http.MethodGet, success: []int{http.StatusOK}}, id)
}

// CreateDestination makes a destination and returns it with its secret
// (https://docs.didit.me/management-api/webhook/create-destination). It cannot be repeated after an error that is not an
// *APIError: list the destinations first. A URL that exists is a 400.
func (c *Client) CreateDestination(ctx context.Context, r CreateDestinationRequest) (Destination, error) {
	k := call{op: "create destination", method: http.MethodPost, path: destinationsPath, success: []int{http.StatusCreated, http.StatusOK}}
	if r.Version == "" {
		r.Version = WebhookVersion
	}
	why := checkDestination(&r.URL, r.Events)
	switch {
	case r.Label == "":
		why = "no label"
	case len(r.Events) == 0:
		why = "no events: it would get no webhook"
	}
	if why != "" {
		return Destination{}, fmt.Errorf("%w: %s: %s", ErrInvalidArgument, k.op, why)
	}
	k.body = r
	return c.destinationAnswer(ctx, k)
}

// UpdateDestination changes a destination and returns it; the secret stays the same
// (https://docs.didit.me/management-api/webhook/update-destination).
func (c *Client) UpdateDestination(ctx context.Context, id string, r UpdateDestinationRequest) (Destination, error) {
	k := call{op: "update destination", method: http.MethodPatch, body: r, success: []int{http.StatusOK}}
	why := checkDestination(r.URL, r.Events)
	if r.Events != nil && len(r.Events) == 0 {
		why = "no events: it would get no webhook"
	}
	if why != "" {
		return Destination{}, fmt.Errorf("%w: %s: %s", ErrInvalidArgument, k.op, why)
	}
	return c.destination(ctx, k, id)
}

// checkDestination says what is wrong, without quoting it.
func checkDestination(target *string, events []string) string {
	if target != nil {
		u, err := url.Parse(*target)
		switch {
		case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
			return "the URL is not an absolute http or https URL"
		case u.User != nil:
			return "the URL has a user or a password"
		}
	}
	if slices.Contains(events, "") {
		return "an event without a name"
	}
	return ""
}

func (c *Client) destination(ctx context.Context, k call, id string) (Destination, error) {
	if !isToken(id) {
		return Destination{}, notADestination()
	}
	k.path = destinationsPath + url.PathEscape(id) + "/"
	return c.destinationAnswer(ctx, k)
}

func (c *Client) destinationAnswer(ctx context.Context, k call) (Destination, error) {
	body, err := c.do(ctx, k)
	if err != nil {
		return Destination{}, err
	}
	var w wireDestination
	if err := decode(k.op, body, &w); err != nil {
		return Destination{}, err
	}
	return w.destination(k.op, true)
}

type wireDestination struct {
	ID           string   `json:"uuid"`
	Label        string   `json:"label"`
	URL          string   `json:"url"`
	Enabled      bool     `json:"enabled"`
	Version      string   `json:"webhook_version"`
	Events       []string `json:"subscribed_events"`
	Secret       string   `json:"secret_shared_key"`
	Health       string   `json:"health_status"`
	Deliveries   int64    `json:"deliveries_count"` // the numbers of a list are here, those of one destination in summary
	Failed       int64    `json:"failed_deliveries_count"`
	LastDelivery string   `json:"last_delivery_at"`
	CreatedAt    string   `json:"created_at"`
	UpdatedAt    string   `json:"updated_at"`
	Summary      struct {
		Deliveries   int64  `json:"total_deliveries"`
		Failed       int64  `json:"failed_deliveries"`
		LastDelivery string `json:"last_delivery_at"`
	} `json:"summary"`
}

func (w wireDestination) destination(op string, withSecret bool) (Destination, error) {
	switch {
	case !isToken(w.ID):
		return Destination{}, badResponse(op, "no usable uuid")
	case w.URL == "":
		return Destination{}, badResponse(op, "no url")
	case withSecret && w.Secret == "":
		return Destination{}, badResponse(op, "no secret_shared_key; the key may lack the right to read it")
	}
	d := Destination{
		ID: w.ID, Label: w.Label, URL: w.URL, Enabled: w.Enabled, Version: w.Version, Events: w.Events, Secret: Sensitive(w.Secret),
		Health: w.Health, Deliveries: w.Deliveries, Failed: w.Failed, LastDelivery: parseTime(w.LastDelivery),
		CreatedAt: parseTime(w.CreatedAt), UpdatedAt: parseTime(w.UpdatedAt),
	}
	if s := w.Summary; s.Deliveries != 0 || s.LastDelivery != "" {
		d.Deliveries, d.Failed, d.LastDelivery = s.Deliveries, s.Failed, parseTime(s.LastDelivery)
	}
	return d, nil
}
