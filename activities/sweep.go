package activities

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Deliveries reads from Didit which webhooks it has sent; didit.Client is one.
type Deliveries interface {
	ListDestinations(context.Context) ([]didit.Destination, error)
	ListDeliveries(ctx context.Context, destinationID string, r didit.ListDeliveriesRequest) (didit.DeliveryPage, error)
	GetDelivery(ctx context.Context, destinationID, deliveryID string) (didit.DeliveryAttempt, didit.Event, error)
}

// SweptDestinations are the ids of the destinations that get changes of status.
type SweptDestinations struct {
	IDs []string `json:"ids"`
}

// ListDestinations lists the destinations that are enabled and get changes of status. Which of them is our webhook is
// unknown here: a proxy may give it another address.
func (a *Activities) ListDestinations(ctx context.Context) (SweptDestinations, error) {
	all, err := a.Deliveries.ListDestinations(ctx)
	if err != nil {
		return SweptDestinations{}, classify(err)
	}
	var out SweptDestinations
	for _, d := range all {
		if d.Enabled && (len(d.Events) == 0 || slices.Contains(d.Events, didit.EventStatusUpdated)) {
			out.IDs = append(out.IDs, d.ID)
		}
	}
	return out, nil
}

// FindLostInput names a page of the attempts to deliver to a destination, newest first.
type FindLostInput struct {
	Destination string `json:"destination"`
	Offset      int    `json:"offset,omitempty"`
	// From is the time before which attempts do not matter.
	From time.Time `json:"from"`
	// Mark, NextMark and Repeated are for counting: see LostPage.
	Mark     time.Time `json:"mark,omitzero"`
	NextMark time.Time `json:"next_mark,omitzero"`
	Repeated time.Time `json:"repeated,omitzero"`
}

// LostPage is a page of attempts, reduced to the newest of each session.
type LostPage struct {
	More     bool `json:"more,omitempty"` // there are older ones after From
	Attempts int  `json:"attempts"`       // on the page
	// Fresh are those after Mark. Read are those up to NextMark, except those of Repeated or later, which may have been on the
	// page before.
	Fresh  int       `json:"fresh,omitempty"`
	Read   int       `json:"read,omitempty"`
	Oldest time.Time `json:"oldest,omitzero"`
	// Taken are the sessions whose newest attempt was answered with success, Failed the newest attempts that were not.
	Taken  []string        `json:"taken,omitempty"`
	Failed []FailedAttempt `json:"failed,omitempty"`
}

// FailedAttempt is a delivery that was not answered with success.
type FailedAttempt struct {
	ID  string    `json:"id"`  // of the delivery; only HandOn reads the id of the event
	Key string    `json:"key"` // stands for the session
	At  time.Time `json:"at"`
}

// FindLost reads one page of the attempts to deliver to a destination. Of a session only the newest attempt counts: a later
// event that was taken has made the workflow read the decision, which is newer than any event.
func (a *Activities) FindLost(ctx context.Context, in FindLostInput) (LostPage, error) {
	page, err := a.Deliveries.ListDeliveries(ctx, in.Destination, didit.ListDeliveriesRequest{From: in.From, Offset: in.Offset})
	if err != nil {
		return LostPage{}, classify(err)
	}
	out := LostPage{More: page.More && len(page.Attempts) > 0, Attempts: len(page.Attempts)}
	known := map[string]bool{}
	for _, d := range page.Attempts {
		if d.At.IsZero() {
			return LostPage{}, classify(fmt.Errorf("%w: an attempt without a usable created_at", didit.ErrBadResponse))
		}
		out.count(in, d.At)
		if d.At.Before(in.From) {
			out.More = false
			break
		}
		key := sessionKey(d.SessionID)
		if known[key] || !statusChange(d.Type) || d.SessionID == "" {
			continue
		}
		known[key] = true
		if d.Delivered() {
			out.Taken = append(out.Taken, key)
		} else {
			out.Failed = append(out.Failed, FailedAttempt{ID: d.ID, Key: key, At: d.At})
		}
	}
	return out, nil
}

func (p *LostPage) count(in FindLostInput, at time.Time) {
	p.Oldest = at
	if at.After(in.Mark) {
		p.Fresh++
	}
	repeat := !in.Repeated.IsZero() && !at.Before(in.Repeated)
	if !at.After(in.NextMark) && !repeat {
		p.Read++
	}
}

// statusChange reports whether an event may be a change of a session's status. Destinations of version v1 name no type.
func statusChange(kind string) bool { return kind == "" || kind == didit.EventStatusUpdated }

// sessionKey keeps session ids out of the history of sweeps, which an erasure does not delete.
func sessionKey(sessionID string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(sessionID)) // never fails
	return strconv.FormatUint(h.Sum64(), 36)
}

// HandOnInput names a delivery.
type HandOnInput struct {
	Destination string `json:"destination"`
	Delivery    string `json:"delivery"`
}

// HandedOn is the result of HandOn: a kyc.DeliverResult, or one of the constants below.
type HandedOn struct {
	Result string `json:"result"`
	// LateSeconds is the time since the event happened; 0 where that is unknown.
	LateSeconds int64 `json:"late_seconds,omitempty"`
}

// Further results of HandOn.
const (
	LostIgnored    = "ignored"    // the webhook ignores such an event too
	LostGone       = "gone"       // Didit no longer shows the delivery
	LostUnreadable = "unreadable" // it is no webhook of a known form
)

// unreadableAttempts is after how many tries a body that cannot be decoded counts as Didit's, not as that of a proxy in
// maintenance.
const unreadableAttempts = 5

// HandOn reads a delivery at Didit and delivers its event as the webhook does, under the same event id.
func (a *Activities) HandOn(ctx context.Context, in HandOnInput) (HandedOn, error) {
	_, ev, err := a.Deliveries.GetDelivery(ctx, in.Destination, in.Delivery)
	switch {
	case errors.Is(err, didit.ErrBadResponse) && activity.GetInfo(ctx).Attempt >= unreadableAttempts:
		return HandedOn{Result: LostUnreadable}, nil
	case err != nil && slices.Contains([]string{kyc.ErrorTypeNotFound, kyc.ErrorTypeRejected}, errorType(err)):
		return HandedOn{Result: LostGone}, nil
	case err != nil:
		return HandedOn{}, classify(err)
	case kyc.IgnoredIn(a.Settings.Environment, ev) != "":
		return HandedOn{Result: LostIgnored}, nil
	}
	ev.Type = kyc.EventType(ev)
	from := kyc.MetadataOf(ev.Metadata).Origin(a.Settings.Deployment)
	done, err := a.Runs.Deliver(ctx, ev.VendorData, kyc.FromDidit(ev), from)
	if err != nil {
		return HandedOn{}, err
	}
	return HandedOn{Result: string(done), LateSeconds: late(ev)}, nil
}

func late(ev didit.Event) int64 {
	if ev.CreatedAt <= 0 {
		return 0
	}
	return max(0, int64(time.Since(time.Unix(ev.CreatedAt, 0)).Seconds()))
}
