package diditsim

// delivery is one delivery of an event, with its retries. One goroutine at a time uses what is not guarded.
type delivery struct {
	*event
	to     *target
	send   Send
	resent bool
}

// queue has the deliveries of one session: their first attempts are made one after the other. dispatcher.mu guards it.
type queue struct {
	ready   []*delivery  // for their first attempt
	working bool         // a goroutine makes those attempts
	waiting []*delivery  // held, or behind another event
	past    map[int]bool // events, by number, that were queued or dropped: no delivery waits for them
	deleted bool         // the session was deleted
}

// forget drops what waits for a session.
func (c *dispatcher) forget(q *queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q.deleted, q.waiting = true, nil
}

// send plans the deliveries of e, as the script says, to every destination. Without a destination there is nothing to send,
// then or later.
func (c *dispatcher) send(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
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
			c.plan(&delivery{event: e, to: t, send: s})
		}
	}
}

// plan starts a delivery, or lets it wait. It needs c.mu.
func (c *dispatcher) plan(p *delivery) {
	if p.send.Hold || (p.send.After != 0 && !p.queue.past[p.send.After]) {
		p.queue.waiting = append(p.queue.waiting, p)
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

// enqueue puts p, and what waits for its event, into its queue now, so that the order is not left to chance. It needs c.mu.
func (c *dispatcher) enqueue(p *delivery) {
	p.queue.ready = append(p.queue.ready, p)
	if !p.queue.working {
		p.queue.working = true
		go c.work(p.queue)
	}
	c.pass(p.event)
}

// work makes the first attempts of one session until its queue is empty.
func (c *dispatcher) work(q *queue) {
	for {
		c.mu.Lock()
		if len(q.ready) == 0 {
			q.ready, q.working = nil, false
			c.mu.Unlock()
			return
		}
		p := q.ready[0]
		q.ready = q.ready[1:]
		c.mu.Unlock()
		if c.attempt(p, 1) && !p.resent {
			go c.retry(p)
		} else {
			c.done()
		}
	}
}

// pass starts what waits for e. It needs c.mu.
func (c *dispatcher) pass(e *event) {
	q := e.queue
	if q.past[e.N] {
		return
	}
	q.past[e.N] = true
	c.release(q, func(s Send) bool { return !s.Hold && s.After == e.N })
}

// release starts the waiting deliveries that chosen chooses, and returns how many. It needs c.mu.
func (c *dispatcher) release(q *queue, chosen func(Send) bool) int {
	if c.closed {
		return 0
	}
	var started, left []*delivery
	for _, p := range q.waiting {
		if chosen(p.send) {
			started = append(started, p)
		} else {
			left = append(left, p)
		}
	}
	q.waiting = left
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
	s.dispatcher.mu.Lock()
	defer s.dispatcher.mu.Unlock()
	return s.dispatcher.release(x.queue, func(Send) bool { return true })
}
