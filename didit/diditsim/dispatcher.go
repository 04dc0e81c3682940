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
	Code      int       // of the answer; 0 if there was none
	Err       error     // if there was no answer
	At        time.Time // of its end
}

// dispatcher delivers webhooks: the first attempts of one session one after the other, all else at the same time.
type dispatcher struct {
	opts   Options
	client *http.Client
	slots  chan struct{} // bounds the deliveries in flight
	stop   chan struct{} // closed by Close: no more retries

	mu      *sync.Mutex // of the Server
	targets []*target   // the first is that of the options
	script  WebhookScript
	log     []*attempt
	open    int           // deliveries that are neither delivered, given up nor waiting
	idle    chan struct{} // closed when open falls to 0
	closed  bool
}

// maxInFlight bounds the connections to a receiver.
const maxInFlight = 64

func newDispatcher(o Options, mu *sync.Mutex) *dispatcher {
	return &dispatcher{
		opts: o, mu: mu, targets: []*target{newMainTarget(o)}, script: o.Webhooks,
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConns: maxInFlight, MaxIdleConnsPerHost: maxInFlight, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, maxInFlight), stop: make(chan struct{}),
	}
}

// SetWebhook changes the URL and the secret of the first destination from now on, waiting retries included.
func (s *Server) SetWebhook(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatcher.targets[0].URL, s.dispatcher.targets[0].secret = url, secret
}

// Deliveries returns every attempt to deliver a webhook so far, in the order of their ends, or the newest
// KeepDeliveries of them.
func (s *Server) Deliveries() []DeliveryAttempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []DeliveryAttempt
	for _, d := range s.dispatcher.log {
		all = append(all, d.DeliveryAttempt)
	}
	return all
}

// note needs c.mu. Appending copies what is kept when the array is full, so the cost of an entry stays the same.
func (c *dispatcher) note(d *attempt) {
	c.log = append(c.log, d)
	if keep := c.opts.KeepDeliveries; keep > 0 {
		c.log = c.log[max(len(c.log)-keep, 0):]
	}
}

// sleep reports false if the dispatcher was closed meanwhile.
func (c *dispatcher) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
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
	url, secret := p.to.URL, p.to.secret
	off := p.about.deleted || !p.to.Enabled || url == ""
	if !off && p.timestamp == 0 {
		p.timestamp = c.opts.Now().Unix()
	}
	c.mu.Unlock()
	if off {
		return false
	}
	d := &attempt{id: uuid.NewString(), url: url, delivery: p, DeliveryAttempt: DeliveryAttempt{
		SessionID: p.SessionID, EventID: p.EventID, Type: p.Type, Status: p.Status, Attempt: n,
	}}
	began := time.Now()
	d.Code, d.Err = c.post(p, url, secret)
	d.At, d.took = c.opts.Now(), time.Since(began)
	c.mu.Lock()
	c.note(d)
	p.to.count(d.DeliveryAttempt)
	c.mu.Unlock()
	c.opts.Logger.Info("webhook", "session", p.SessionID, "status", string(p.Status), "attempt", n, "code", d.Code, "error", d.Err)
	return d.Err != nil || d.Code >= 500 || d.Code == http.StatusNotFound
}

func (c *dispatcher) post(p *delivery, url, secret string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.WebhookTimeout)
	defer cancel()
	req, _, err := p.request(ctx, url, secret)
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

// Wait returns when no delivery is in flight, delayed, or waiting for a retry, or with the error of ctx. It does not wait
// for what is held.
func (s *Server) Wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle, open := s.dispatcher.idle, s.dispatcher.open
		s.mu.Unlock()
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

// Close sends what is queued for the first time, drops what is held, delayed or waiting for a retry, ends the delays of
// faults, and returns when no delivery is in flight. A closed Server still answers, and sends no more webhooks.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.dispatcher.closed {
		s.dispatcher.closed = true
		close(s.dispatcher.stop)
	}
	s.mu.Unlock()
	_ = s.Wait(context.Background()) // ends: what is in flight has a timeout, and nothing is added
	s.dispatcher.client.CloseIdleConnections()
}
