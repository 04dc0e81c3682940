package diditsim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"didit-temporal/didit"
)

// Delivery is one attempt to deliver a webhook.
type Delivery struct {
	SessionID string
	EventID   string // the same on every attempt
	Type      string // status.updated
	Status    didit.Status
	Attempt   int       // 1 for the first
	Code      int       // of the answer; 0 if there was none
	Err       error     // if there was no answer
	At        time.Time // of its end
}

// courier delivers webhooks: the first attempts of one session one after the other, all else at the same time.
type courier struct {
	opts   Options
	client *http.Client
	slots  chan struct{} // bounds the deliveries in flight
	stop   chan struct{} // closed by close: no retries any more

	mu          sync.Mutex
	url, secret string
	lines       map[string][]*event // waiting for their first attempt, by session; a key exists while somebody works on it
	gone        map[string]bool     // deleted sessions
	log         []Delivery
	open        int           // events not delivered and not given up
	idle        chan struct{} // closed when open falls to 0
	closed      bool
}

// maxInFlight bounds the connections to a receiver.
const maxInFlight = 64

func newCourier(o Options) *courier {
	transport := &http.Transport{MaxIdleConns: maxInFlight, MaxIdleConnsPerHost: maxInFlight, IdleConnTimeout: time.Minute}
	return &courier{
		opts: o, url: o.WebhookURL, secret: o.WebhookSecret,
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, maxInFlight), stop: make(chan struct{}),
		lines: map[string][]*event{}, gone: map[string]bool{},
	}
}

func (c *courier) aim(url, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.url, c.secret = url, secret
}

func (c *courier) attempts() []Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// forget drops what waits for a session.
func (c *courier) forget(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone[session] = true
}

// send queues e. Without a destination there is nothing to send, then or later.
func (c *courier) send(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.url == "" || c.closed {
		return
	}
	if c.open == 0 {
		c.idle = make(chan struct{})
	}
	c.open++
	line, working := c.lines[e.session]
	c.lines[e.session] = append(line, e)
	if !working {
		go c.work(e.session)
	}
}

// work makes the first attempts of one session until its line is empty.
func (c *courier) work(session string) {
	for {
		c.mu.Lock()
		line := c.lines[session]
		if len(line) == 0 {
			delete(c.lines, session)
			c.mu.Unlock()
			return
		}
		e := line[0]
		c.lines[session] = line[1:]
		c.mu.Unlock()
		if c.attempt(e, 1) {
			go c.retry(e)
		} else {
			c.done()
		}
	}
}

// retry makes the further attempts of e.
func (c *courier) retry(e *event) {
	defer c.done()
	for i, delay := range c.opts.RetryDelays {
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-c.stop:
			timer.Stop()
			return
		}
		if !c.attempt(e, i+2) {
			return
		}
	}
}

func (c *courier) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open == 0 {
		close(c.idle)
	}
}

// attempt delivers e once and reports whether Didit would try again: after a 5xx, a 404, a timeout or a failed
// connection, and after nothing else (https://docs.didit.me/integration/webhooks).
func (c *courier) attempt(e *event, n int) (again bool) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	c.mu.Lock()
	url, secret, gone := c.url, c.secret, c.gone[e.session]
	c.mu.Unlock()
	if gone || url == "" {
		return false
	}
	d := Delivery{SessionID: e.session, EventID: e.id, Type: didit.EventStatusUpdated, Status: e.status, Attempt: n}
	d.Code, d.Err = c.post(e, url, secret)
	d.At = c.opts.Now()
	c.mu.Lock()
	c.log = append(c.log, d)
	c.mu.Unlock()
	c.opts.Logger.Info("webhook", "session", e.session, "status", string(e.status), "attempt", n, "code", d.Code, "error", d.Err)
	return d.Err != nil || d.Code >= 500 || d.Code == http.StatusNotFound
}

func (c *courier) post(e *event, url, secret string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.WebhookTimeout)
	defer cancel()
	req, err := e.request(ctx, url, secret, c.opts.Now(), c.opts.RefreshTimestamp)
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

func (c *courier) wait(ctx context.Context) error {
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

func (c *courier) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.stop)
	}
	c.mu.Unlock()
	_ = c.wait(context.Background()) // ends: what is in flight has a timeout, and nothing is added
	c.client.CloseIdleConnections()
}
