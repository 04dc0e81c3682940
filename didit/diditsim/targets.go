package diditsim

import (
	"slices"
	"time"

	"didit-temporal/didit"
)

// target is a webhook destination. The first one of a dispatcher is that of Options.WebhookURL and SetWebhook: without a URL
// it does not exist.
type target struct {
	id               string
	app              *application
	label            string
	url, secret      string
	enabled          bool
	version          string
	events           []string
	created, updated time.Time
	sent, failed     int
	last             time.Time // the newest delivery; zero if none
}

// mainTarget is the id of the first destination.
const mainTarget = "00000000-0000-4000-8000-00000000de57"

func newMainTarget(o Options) *target {
	now := o.Now()
	return &target{
		id: mainTarget, label: "main", url: o.WebhookURL, secret: o.WebhookSecret, enabled: true, version: didit.WebhookVersion,
		events: []string{didit.EventStatusUpdated, didit.EventDataUpdated}, created: now, updated: now,
	}
}

// of are the destinations of an application in the order of creation.
func (c *dispatcher) of(app *application) []*target {
	return slices.DeleteFunc(slices.Clone(c.targets), func(t *target) bool { return t.app != app || t.url == "" })
}

// subscribed are the destinations that get e.
func (c *dispatcher) subscribed(e *event) []*target {
	return slices.DeleteFunc(c.of(e.about.app), func(t *target) bool { return !t.enabled || !slices.Contains(t.events, e.Type) })
}

// count counts an attempt.
func (t *target) count(d DeliveryAttempt) {
	t.sent++
	t.last = d.At
	if d.Err != nil || d.Code/100 != 2 {
		t.failed++
	}
}
