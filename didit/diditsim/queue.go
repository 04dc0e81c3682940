package diditsim

import "time"

// delivery is one delivery of an event, with its retries.
type delivery struct {
	*event
	to      *target
	send    Send
	retries []time.Duration // the delays before them
}

// send plans the deliveries of e, as the script says, to every destination. Without a destination there is nothing to send,
// then or later. It needs c.mu.
func (c *dispatcher) send(e *event) {
	var plan []Send
	to := c.subscribed(e)
	if len(to) > 0 && !c.closed {
		plan = []Send{{}}
		if c.script != nil {
			plan = c.script(e.Event)
		}
		if len(plan) == 0 {
			c.opts.Logger.Info("webhook dropped", "session", e.SessionID, "status", string(e.Status))
		}
	}
	if len(plan) == 0 {
		c.pass(e)
	}
	for _, s := range plan {
		for _, t := range to {
			c.plan(&delivery{event: e, to: t, send: s, retries: c.opts.RetryDelays})
		}
	}
}

// plan starts a delivery, or lets it wait. It needs c.mu.
func (c *dispatcher) plan(p *delivery) {
	if p.send.Hold || (p.send.After != 0 && !p.about.past[p.send.After]) {
		p.about.waiting = append(p.about.waiting, p)
		return
	}
	c.start(p)
}

// start queues p, after its delay. It needs c.mu.
func (c *dispatcher) start(p *delivery) {
	c.begun()
	if p.send.Delay <= 0 {
		c.enqueue(p)
		return
	}
	go func() {
		if !c.sleep(p.send.Delay) {
			c.done()
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.enqueue(p)
	}()
}

// enqueue puts p, and what waits for its event, behind the session's other deliveries now, so that the order is not left to
// chance. It needs c.mu.
func (c *dispatcher) enqueue(p *delivery) {
	before, tried := p.about.tried, make(chan struct{})
	p.about.tried = tried
	go c.deliver(p, before, tried)
	c.pass(p.event)
}

// deliver makes the first attempt when that of the delivery before it is over, and then the retries.
func (c *dispatcher) deliver(p *delivery, before <-chan struct{}, tried chan<- struct{}) {
	defer c.done()
	if before != nil {
		<-before
	}
	again := c.attempt(p, 1)
	close(tried)
	for i, delay := range p.retries {
		if !again || !c.sleep(delay) {
			return
		}
		again = c.attempt(p, i+2)
	}
}

// pass starts what waits for e. It needs c.mu.
func (c *dispatcher) pass(e *event) {
	if e.about.past[e.N] {
		return
	}
	e.about.past[e.N] = true
	c.release(e.about, func(s Send) bool { return !s.Hold && s.After == e.N })
}

// release starts the waiting deliveries of x that chosen chooses, and returns how many. It needs c.mu.
func (c *dispatcher) release(x *session, chosen func(Send) bool) int {
	if c.closed {
		return 0
	}
	var started, left []*delivery
	for _, p := range x.waiting {
		if chosen(p.send) {
			started = append(started, p)
		} else {
			left = append(left, p)
		}
	}
	x.waiting = left
	for _, p := range started { // each may release others
		c.start(p)
	}
	return len(started)
}

// Release sends what waits of one session, held or behind another event, in the order in which it happened. It returns how
// many deliveries that are. Their delays begin now.
func (s *Server) Release(sessionID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.byID[sessionID]
	if !ok {
		return 0
	}
	return s.dispatcher.release(x, func(Send) bool { return true })
}
