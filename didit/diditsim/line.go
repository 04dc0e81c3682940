package diditsim

import (
	"cmp"
	"slices"
)

// parcel is one delivery of an event, with its retries. One goroutine at a time touches what is not guarded.
type parcel struct {
	*event
	to     *target
	send   Send
	resent bool
	sentAt int64 // the timestamp of the last attempt; 0 before the first
}

// line is the parcels of one session: their first attempts are made one after the other. courier.mu guards it.
type line struct {
	queue   []*parcel    // for their first attempt
	working bool         // somebody makes those attempts
	waiting []*parcel    // for their turn: held, or behind another event
	past    map[int]bool // events, by number, that were queued or dropped: nothing waits for them
	gone    bool         // the session was deleted
}

// forget drops what waits for a session.
func (c *courier) forget(l *line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.gone, l.waiting = true, nil
	delete(c.holding, l)
}

// send makes of e the parcels that the script wants, each for every destination. Without a destination there is nothing
// to send, then or later.
func (c *courier) send(e *event) {
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
	for _, p := range parcels(e, plan, to) {
		s := p.send
		if s.Hold || (s.After != 0 && !e.line.past[s.After]) {
			e.line.waiting = append(e.line.waiting, p)
			c.holding[e.line] = struct{}{}
			continue
		}
		c.begin(p)
	}
}

func parcels(e *event, plan []Send, to []*target) []*parcel {
	var all []*parcel
	for _, s := range plan {
		for _, t := range to {
			all = append(all, &parcel{event: e, to: t, send: s})
		}
	}
	return all
}

func (c *courier) resend(e *event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	to := c.wanting(e)
	if len(to) == 0 || c.closed {
		return ErrNoDestination
	}
	for _, t := range to {
		c.begin(&parcel{event: e, to: t, resent: true})
	}
	return nil
}

// begin sets p on its way. It needs c.mu.
func (c *courier) begin(p *parcel) {
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

// queue puts p, and what waits for its event, in line now, so that the order is nobody's luck. It needs c.mu.
func (c *courier) queue(p *parcel) {
	p.line.queue = append(p.line.queue, p)
	if !p.line.working {
		p.line.working = true
		go c.work(p.line)
	}
	c.passed(p.event)
}

// work makes the first attempts of one session until its queue is empty.
func (c *courier) work(l *line) {
	for {
		c.mu.Lock()
		if len(l.queue) == 0 {
			l.queue, l.working = nil, false
			c.mu.Unlock()
			return
		}
		p := l.queue[0]
		l.queue = l.queue[1:]
		c.mu.Unlock()
		if c.attempt(p, 1) && !p.resent {
			go c.retry(p)
		} else {
			c.done()
		}
	}
}

// passed lets go what waits for e. It needs c.mu.
func (c *courier) passed(e *event) {
	l := e.line
	if l.past[e.N] {
		return
	}
	if l.past == nil {
		l.past = map[int]bool{}
	}
	l.past[e.N] = true
	c.letGo(l, func(s Send) bool { return !s.Hold && s.After == e.N })
}

// letGo begins the waiting parcels that which chooses, and returns how many. It needs c.mu.
func (c *courier) letGo(l *line, which func(Send) bool) int {
	if c.closed {
		return 0
	}
	var chosen, left []*parcel
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
	return s.courier.release(x.line)
}

// ReleaseAll is Release for all sessions, in the order of their oldest waiting event.
func (s *Server) ReleaseAll() int {
	n := 0
	for _, l := range s.courier.held() {
		n += s.courier.release(l)
	}
	return n
}

func (c *courier) held() []*line {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*line, 0, len(c.holding))
	for l := range c.holding {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *line) int { return cmp.Compare(a.waiting[0].Global, b.waiting[0].Global) })
	return all
}

func (c *courier) release(l *line) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.letGo(l, func(Send) bool { return true })
}
