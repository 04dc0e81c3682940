package diditsim

import (
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// eventTypes are those that a destination may subscribe to (https://docs.didit.me/management-api/webhook/create-destination).
// user.created is named by Didit's MCP server alone. A Server sends the first two.
var eventTypes = []string{
	didit.EventStatusUpdated, didit.EventDataUpdated, "user.status.updated", "user.data.updated", "business.status.updated",
	"business.data.updated", "activity.created", "transaction.created", "transaction.status.updated", "travel_rule.status.updated",
	"user.created",
}

// destinationBody is what a creation and a change may set. A uuid in it is ignored.
type destinationBody struct {
	Label   string   `json:"label"`
	URL     string   `json:"url"`
	Enabled bool     `json:"enabled"`
	Version string   `json:"webhook_version"`
	Events  []string `json:"subscribed_events"`
}

// listDestinations is GET /v3/webhook/destinations/: a bare array, oldest first, without secrets.
func (s *Server) listDestinations(app *application, _ *http.Request, _ []byte) *answer {
	all := []map[string]any{}
	for _, t := range s.dispatcher.of(app) {
		all = append(all, t.listed())
	}
	return ok(all)
}

// updateDestination is PATCH: events are replaced and not merged, and the secret stays.
func (s *Server) updateDestination(t *target, _ *http.Request, body []byte) *answer {
	if no := s.update(t, body); no != nil {
		return no
	}
	return ok(t.shown())
}

// deleteDestination is DELETE. The destination of Options loses its URL; SetWebhook gives it another.
func (s *Server) deleteDestination(t *target, _ *http.Request, _ []byte) *answer {
	t.URL = ""
	if t.id != mainTarget {
		s.dispatcher.targets = without(s.dispatcher.targets, t)
	}
	return deleted()
}

// createDestination is POST. Unlike Didit it accepts plain HTTP and private addresses: development has no others.
func (s *Server) createDestination(app *application, _ *http.Request, body []byte) *answer {
	t := &target{
		id: uuid.NewString(), app: app, secret: randomText(32), created: s.opts.Now(),
		destinationBody: destinationBody{Enabled: true, Version: didit.WebhookVersion},
	}
	if no := s.update(t, body); no != nil {
		return no
	}
	s.dispatcher.targets = append(s.dispatcher.targets, t)
	return created(t.shown())
}

// targetOf finds the destination of a path.
func (s *Server) targetOf(app *application, r *http.Request) *target {
	for _, t := range s.dispatcher.of(app) {
		if t.id == r.PathValue("id") {
			return t
		}
	}
	return nil
}

// update changes t as the body says, or returns why not. What the body does not set stays.
func (s *Server) update(t *target, body []byte) *answer {
	b := t.destinationBody
	b.Events = slices.Clone(b.Events)
	if no := decode(body, &b); no != nil {
		return no
	}
	if no := s.checkDestination(b, t); no != nil {
		return no
	}
	t.destinationBody, t.updated = b, s.opts.Now()
	return nil
}

// checkDestination refuses what Didit documents as refused; the reasons are ours.
func (s *Server) checkDestination(b destinationBody, old *target) *answer {
	taken := func(t *target) bool { return t != old && t.URL == b.URL }
	switch {
	case b.Label == "" && old.Label == "":
		return invalid("label", "This field is required.")
	case b.Label == "":
		return invalid("label", "This field may not be blank.")
	case b.URL == "" && old.URL == "":
		return invalid("url", "This field is required.")
	case !isWebURL(b.URL):
		return invalid("url", "Enter a valid URL.")
	case slices.ContainsFunc(s.dispatcher.of(old.app), taken):
		return invalid("url", "A destination with this URL already exists.")
	case !slices.Contains([]string{"v1", "v2", "v3"}, b.Version):
		return invalid("webhook_version", notAChoice(b.Version))
	case b.Events != nil && len(b.Events) == 0: // left out, they are nil
		return invalid("subscribed_events", "This list may not be empty.")
	case slices.ContainsFunc(b.Events, func(e string) bool { return !slices.Contains(eventTypes, e) }):
		return invalid("subscribed_events", []string{"Not a valid choice."})
	}
	return nil
}

// described has the fields of all answers.
func (t *target) described() map[string]any {
	return map[string]any{
		"uuid": t.id, "label": t.Label, "url": t.URL, "enabled": t.Enabled, "webhook_version": t.Version,
		"subscribed_events": append([]string{}, t.Events...), "secret_last4": t.secret[max(len(t.secret)-4, 0):],
		"created_at": isoTime(t.created), "updated_at": isoTime(t.updated),
	}
}

// shown is a destination on its own, with the secret. Response times are not measured.
func (t *target) shown() map[string]any {
	d := t.described()
	d["secret_shared_key"] = t.secret
	d["previous_secret_expires_at"] = nil
	d["summary"] = map[string]any{
		"total_deliveries": t.sent, "failed_deliveries": t.failed, "error_rate_percentage": t.errorRate(),
		"min_response_time_ms": 0, "avg_response_time_ms": 0, "max_response_time_ms": 0, "last_delivery_at": t.lastDelivery(),
	}
	return d
}

// listed is a destination in a list.
func (t *target) listed() map[string]any {
	d := t.described()
	d["subscribed_events_count"] = len(t.Events)
	d["metrics_window_days"] = 30
	d["deliveries_count"], d["failed_deliveries_count"] = t.sent, t.failed
	d["average_response_time_ms"], d["error_rate_percentage"] = nil, t.errorRate()
	d["last_delivery_at"] = t.lastDelivery()
	return d
}

func (t *target) errorRate() int {
	return int(math.Round(100 * float64(t.failed) / float64(max(t.sent, 1))))
}

func (t *target) lastDelivery() any {
	if t.last.IsZero() {
		return nil
	}
	return isoTime(t.last)
}

// target is a webhook destination. The first one of a dispatcher is that of Options.WebhookURL and SetWebhook: without a URL
// it does not exist.
type target struct {
	destinationBody
	id, secret       string
	app              *application
	created, updated time.Time
	sent, failed     int
	last             time.Time // the newest delivery; zero if none
}

// mainTarget is the id of the first destination.
const mainTarget = "00000000-0000-4000-8000-00000000de57"

func newMainTarget(o Options) *target {
	now := o.Now()
	return &target{
		id: mainTarget, secret: o.WebhookSecret, created: now, updated: now, destinationBody: destinationBody{
			"main", o.WebhookURL, true, didit.WebhookVersion, []string{didit.EventStatusUpdated, didit.EventDataUpdated},
		},
	}
}

// of are the destinations of an application in the order of creation.
func (c *dispatcher) of(app *application) []*target {
	return slices.DeleteFunc(slices.Clone(c.targets), func(t *target) bool { return t.app != app || t.URL == "" })
}

// subscribed are the destinations that get e.
func (c *dispatcher) subscribed(e *event) []*target {
	return slices.DeleteFunc(c.of(e.about.app), func(t *target) bool { return !t.Enabled || !slices.Contains(t.Events, e.Type) })
}

// count counts an attempt.
func (t *target) count(d DeliveryAttempt) {
	t.sent++
	t.last = d.At
	if d.Err != nil || d.Code/100 != 2 {
		t.failed++
	}
}
