package diditsim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// DeliveryAttempt is one attempt to deliver a webhook.
type DeliveryAttempt struct {
	SessionID string
	EventID   string // the same on every attempt
	Type      string // status.updated
	Status    didit.Status
	Attempt   int       // 1 for the first
	Corrupt   bool      // the script made the signatures wrong
	Resent    bool      // by Resend
	To        string    // the id of the destination; empty for the first one
	Code      int       // of the answer; 0 if there was none
	Err       error     // if there was no answer
	At        time.Time // of its end
}

// dispatcher delivers webhooks: the first attempts of one session one after the other, all else at the same time.
type dispatcher struct {
	opts   Options
	client *http.Client
	slots  chan struct{} // bounds the deliveries in flight
	stop   chan struct{} // closed by close: no more retries

	mu      sync.Mutex
	targets []*target // the first is that of the options
	script  WebhookScript
	log     []*attempt
	open    int           // deliveries that are neither delivered, given up nor waiting
	idle    chan struct{} // closed when open falls to 0
	closed  bool
}

// maxInFlight bounds the connections to a receiver.
const maxInFlight = 64

func newDispatcher(o Options) *dispatcher {
	return &dispatcher{
		opts: o, targets: []*target{newMainTarget(o)}, script: o.Webhooks,
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConns: maxInFlight, MaxIdleConnsPerHost: maxInFlight, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, maxInFlight), stop: make(chan struct{}),
	}
}

func (c *dispatcher) setFirst(url, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.targets[0].url, c.targets[0].secret = url, secret
}

func (c *dispatcher) attempts() []DeliveryAttempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []DeliveryAttempt
	for _, d := range c.log[c.outdated():] {
		all = append(all, d.DeliveryAttempt)
	}
	return all
}

// outdated is how many entries of the log Deliveries does not return any more. It needs c.mu.
func (c *dispatcher) outdated() int {
	if c.opts.KeepDeliveries <= 0 {
		return 0
	}
	return max(len(c.log)-c.opts.KeepDeliveries, 0)
}

// note needs c.mu. It cuts the log when half of it is outdated, so that the cost of an entry stays the same.
func (c *dispatcher) note(d *attempt) {
	c.log = append(c.log, d)
	if n := c.outdated(); n > c.opts.KeepDeliveries {
		c.log = append([]*attempt(nil), c.log[n:]...)
	}
}

// retry repeats the attempts of p.
func (c *dispatcher) retry(p *delivery) {
	defer c.done()
	for i, delay := range c.opts.RetryDelays {
		if !c.sleep(delay) || !c.attempt(p, i+2) {
			return
		}
	}
}

// sleep reports false if the dispatcher was closed meanwhile.
func (c *dispatcher) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stop:
		return false
	}
}

// begun needs c.mu.
func (c *dispatcher) begun() {
	if c.open == 0 {
		c.idle = make(chan struct{})
	}
	c.open++
}

func (c *dispatcher) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open == 0 {
		close(c.idle)
	}
}

// attempt delivers p once and reports whether Didit retries: after a 5xx, a 404, a timeout or a failed
// connection, and after nothing else (https://docs.didit.me/integration/webhooks).
func (c *dispatcher) attempt(p *delivery, n int) (again bool) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	c.mu.Lock()
	url, secret, off := p.to.url, p.to.secret, p.queue.deleted || !p.to.enabled
	c.mu.Unlock()
	if off || url == "" {
		return false
	}
	d := &attempt{id: uuid.NewString(), to: p.to, url: url, delivery: p, sentAt: p.timestamp(c.opts.Now(), n, c.opts.RefreshTimestamp)}
	d.DeliveryAttempt = DeliveryAttempt{
		SessionID: p.SessionID, EventID: p.EventID, Type: p.Type, Status: p.Status, Attempt: n, Corrupt: p.send.Corrupt, Resent: p.resent,
	}
	if p.to.id != mainTarget {
		d.To = p.to.id
	}
	began := time.Now()
	d.Code, d.Err = c.post(p, url, secret, d.sentAt)
	d.At, d.took = c.opts.Now(), time.Since(began)
	c.mu.Lock()
	c.note(d)
	p.to.count(d.DeliveryAttempt)
	c.mu.Unlock()
	c.opts.Logger.Info("webhook", "session", p.SessionID, "status", string(p.Status), "attempt", n, "code", d.Code, "error", d.Err)
	return d.Err != nil || d.Code >= 500 || d.Code == http.StatusNotFound
}

func (c *dispatcher) post(p *delivery, url, secret string, sentAt int64) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.WebhookTimeout)
	defer cancel()
	req, _, err := p.request(ctx, url, secret, sentAt)
	if err != nil {
		return 0, fmt.Errorf("diditsim: make a webhook: %w", err)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("diditsim: deliver a webhook: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	return resp.StatusCode, nil
}

func (c *dispatcher) wait(ctx context.Context) error {
	for {
		c.mu.Lock()
		idle, open := c.idle, c.open
		c.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *dispatcher) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.stop)
	}
	c.mu.Unlock()
	_ = c.wait(context.Background()) // ends: what is in flight has a timeout, and nothing is added
	c.client.CloseIdleConnections()
}
