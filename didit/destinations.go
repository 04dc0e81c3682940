package didit

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// WebhookVersion is the shape of webhooks that this package reads.
const WebhookVersion = "v3"

// Destination is where Didit sends webhooks. Logs show URL: put no password into it.
type Destination struct {
	ID      string   `json:"uuid"`
	Label   string   `json:"label"`
	URL     string   `json:"url"`
	Enabled bool     `json:"enabled"`
	Version string   `json:"webhook_version"`
	Events  []string `json:"subscribed_events"`
	// Secret signs the webhooks of this destination. Lists have no secrets: GetDestination returns it.
	Secret       Sensitive `json:"secret_shared_key"`
	Health       string    `json:"health_status"` // only in lists; empty if Didit did not say
	Deliveries   int64     `json:"deliveries_count"`
	Failed       int64     `json:"failed_deliveries_count"`
	LastDelivery time.Time `json:"last_delivery_at"` // zero if there was none
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
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

const (
	destinationsPath = "/v3/webhook/destinations/"
	destinationPath  = destinationsPath + "%s/"
)

// ListDestinations returns all destinations, without their secrets
// (https://docs.didit.me/management-api/webhook/list-destinations).
func (c *Client) ListDestinations(ctx context.Context) ([]Destination, error) {
	k := call{op: "list destinations", path: destinationsPath}
	return readList(ctx, c, k, func(w wireDestination) (Destination, error) { return w.destination(k.op, false) })
}

// GetDestination returns one destination with its secret (https://docs.didit.me/management-api/webhook/get-destination).
func (c *Client) GetDestination(ctx context.Context, id string) (Destination, error) {
	return c.destination(ctx, call{op: "get destination", path: destinationPath, ids: []string{id}})
}

// CreateDestination creates a destination and returns it with its secret
// (https://docs.didit.me/management-api/webhook/create-destination). Do not repeat it after an error that is not an
// *APIError: list the destinations first. A URL that exists is a 400.
func (c *Client) CreateDestination(ctx context.Context, r CreateDestinationRequest) (Destination, error) {
	r.Version = cmp.Or(r.Version, WebhookVersion)
	k := call{
		op: "create destination", method: http.MethodPost, path: destinationsPath, body: r,
		success: []int{http.StatusCreated, http.StatusOK}, invalid: checkDestination(&r.URL, r.Events),
	}
	switch {
	case r.Label == "":
		k.invalid = "no label"
	case len(r.Events) == 0:
		k.invalid = noEvents
	}
	return c.destination(ctx, k)
}

const noEvents = "no events: Didit would send no webhook"

// UpdateDestination changes a destination and returns it; the secret stays the same
// (https://docs.didit.me/management-api/webhook/update-destination).
func (c *Client) UpdateDestination(ctx context.Context, id string, r UpdateDestinationRequest) (Destination, error) {
	k := call{
		op: "update destination", method: http.MethodPatch, path: destinationPath, ids: []string{id}, body: r,
		invalid: checkDestination(r.URL, r.Events),
	}
	if r.Events != nil && len(r.Events) == 0 {
		k.invalid = noEvents
	}
	return c.destination(ctx, k)
}

// checkDestination returns what is wrong, without quoting it.
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

func (c *Client) destination(ctx context.Context, k call) (Destination, error) {
	w, err := send[wireDestination](ctx, c, k)
	if err != nil {
		return Destination{}, err
	}
	return w.destination(k.op, true)
}

// wireDestination has the counts of a list in Destination, and those of a single destination in Summary.
type wireDestination struct {
	Destination
	LastDelivery wireTime `json:"last_delivery_at"`
	CreatedAt    wireTime `json:"created_at"`
	UpdatedAt    wireTime `json:"updated_at"`
	Summary      struct {
		Deliveries   int64    `json:"total_deliveries"`
		Failed       int64    `json:"failed_deliveries"`
		LastDelivery wireTime `json:"last_delivery_at"`
	} `json:"summary"`
}

func (w wireDestination) destination(op string, withSecret bool) (Destination, error) {
	d, s := w.Destination, w.Summary
	switch {
	case !isToken(d.ID):
		return Destination{}, badResponse(op, "no usable uuid")
	case d.URL == "":
		return Destination{}, badResponse(op, "no url")
	case withSecret && d.Secret == "":
		return Destination{}, badResponse(op, "no secret_shared_key; the key may lack the right to read it")
	}
	d.LastDelivery, d.CreatedAt, d.UpdatedAt = w.LastDelivery.Time, w.CreatedAt.Time, w.UpdatedAt.Time
	if s.Deliveries != 0 || !s.LastDelivery.IsZero() {
		d.Deliveries, d.Failed, d.LastDelivery = s.Deliveries, s.Failed, s.LastDelivery.Time
	}
	return d, nil
}
