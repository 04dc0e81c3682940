package diditsim

import (
	"cmp"
	"slices"
)

// delivery is one delivery of an event, with its retries. One goroutine at a time touches what is not guarded.
type delivery struct {
	*event
	to     *target
	send   Send
	resent bool
	sentAt int64 // the timestamp of the last attempt; 0 before the first
}

// queue is the deliveries of one session: their first attempts are made one after the other. dispatcher.mu guards it.
type queue struct {
	ready   []*delivery  // for their first attempt
	working bool         // a goroutine makes those attempts
	waiting []*delivery  // for their turn: held, or behind another event
	past    map[int]bool // events, by number, that were queued or dropped: nothing waits for them
	gone    bool         // the session was deleted
}

// forget drops what waits for a session.
func (c *dispatcher) forget(l *queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.gone, l.waiting = true, nil
	delete(c.holding, l)
}

// send makes of e the deliveries that the script wants, each for every destination. Without a destination there is nothing
// to send, then or later.
func (c *dispatcher) send(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var plan []Send
	to := c.wanting(e)
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
		c.passed(e)
	}
	for _, p := range deliveriesOf(e, plan, to) {
		s := p.send
		if s.Hold || (s.After != 0 && !e.queue.past[s.After]) {
			e.queue.waiting = append(e.queue.waiting, p)
			c.holding[e.queue] = struct{}{}
			continue
		}
		c.begin(p)
	}
}

func deliveriesOf(e *event, plan []Send, to []*target) []*delivery {
	var all []*delivery
	for _, s := range plan {
		for _, t := range to {
			all = append(all, &delivery{event: e, to: t, send: s})
		}
	}
	return all
}

func (c *dispatcher) resend(e *event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	to := c.wanting(e)
	if len(to) == 0 || c.closed {
		return ErrNoDestination
	}
	for _, t := range to {
		c.begin(&delivery{event: e, to: t, resent: true})
	}
	return nil
}

// begin sets p on its way. It needs c.mu.
func (c *dispatcher) begin(p *delivery) {
	c.begun()
	if p.send.Delay <= 0 {
		c.queue(p)
		return
	}
	go func() {
		if !c.sleep(p.send.Delay) {
			c.done()
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.queue(p)
	}()
}

// queue puts p, and what waits for its event, into its queue now, so that the order is not left to chance. It needs c.mu.
func (c *dispatcher) queue(p *delivery) {
	p.queue.ready = append(p.queue.ready, p)
	if !p.queue.working {
		p.queue.working = true
		go c.work(p.queue)
	}
	c.passed(p.event)
}

// work makes the first attempts of one session until its queue is empty.
func (c *dispatcher) work(l *queue) {
	for {
		c.mu.Lock()
		if len(l.ready) == 0 {
			l.ready, l.working = nil, false
			c.mu.Unlock()
			return
		}
		p := l.ready[0]
		l.ready = l.ready[1:]
		c.mu.Unlock()
		if c.attempt(p, 1) && !p.resent {
			go c.retry(p)
		} else {
			c.done()
		}
	}
}

// passed lets go what waits for e. It needs c.mu.
func (c *dispatcher) passed(e *event) {
	l := e.queue
	if l.past[e.N] {
		return
	}
	if l.past == nil {
		l.past = map[int]bool{}
	}
	l.past[e.N] = true
	c.letGo(l, func(s Send) bool { return !s.Hold && s.After == e.N })
}

// letGo begins the waiting deliveries that which chooses, and returns how many. It needs c.mu.
func (c *dispatcher) letGo(l *queue, which func(Send) bool) int {
	if c.closed {
		return 0
	}
	var chosen, left []*delivery
	for _, p := range l.waiting {
		if which(p.send) {
			chosen = append(chosen, p)
		} else {
			left = append(left, p)
		}
	}
	if l.waiting = left; len(left) == 0 {
		delete(c.holding, l)
	}
	for _, p := range chosen { // each may let go others
		c.begin(p)
	}
	return len(chosen)
}

// Release sends what waits of one session, be it held or behind another event, in the order in which it happened. It
// returns how many deliveries that are. Their delays begin now.
func (s *Server) Release(sessionID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.byID[sessionID]
	if !ok {
		return 0
	}
	return s.dispatcher.release(x.queue)
}

// ReleaseAll is Release for all sessions, in the order of their oldest waiting event.
func (s *Server) ReleaseAll() int {
	n := 0
	for _, l := range s.dispatcher.held() {
		n += s.dispatcher.release(l)
	}
	return n
}

func (c *dispatcher) held() []*queue {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*queue, 0, len(c.holding))
	for l := range c.holding {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *queue) int { return cmp.Compare(a.waiting[0].Global, b.waiting[0].Global) })
	return all
}

func (c *dispatcher) release(l *queue) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.letGo(l, func(Send) bool { return true })
}
