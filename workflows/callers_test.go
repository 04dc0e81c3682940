package workflows_test

import (
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// callback is called with what an update answers.
type callback interface {
	Accept()
	Reject(err error)
	Complete(v any, err error)
}

// answer collects what an update answers.
type answer struct {
	session kyc.Session
	err     error
	done    bool
}

func (a *answer) Accept()          {}
func (a *answer) Reject(err error) { a.err, a.done = err, true }
func (a *answer) Complete(v any, err error) {
	a.err, a.done = err, true
	if s, ok := v.(kyc.Session); ok {
		a.session = s
	}
}

// startInto is the START of a caller: what kyc.Client.Start asks first.
func (l *life) startInto(in kyc.Input, a callback) {
	in.UserID = user
	ask := func() { l.env.UpdateWorkflow(kyc.UpdateSession, "", a, in) }
	if l.env != nil {
		ask()
		return
	}
	if s := l.state(); s.UserID != "" && !l.terminated && !in.WantsAnother(s) {
		return
	}
	l.flow = ""
	l.run(in, ask)
}

// caller is a START that asks again as kyc.Client.Start does, and whose answer is checked.
type caller struct {
	answer
	l     *life
	in    kyc.Input
	again bool
}

func (l *life) asks(in kyc.Input) {
	c, runs := &caller{l: l, in: in}, l.runs
	if l.startInto(in, c); l.env == nil && l.runs == runs { // a closed run has the answer
		l.checkStart(c)
	}
}

func (c *caller) Reject(err error) { c.Complete(nil, err) }

func (c *caller) Complete(v any, err error) {
	c.answer.Complete(v, err)
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	if c.l.env != nil { // else the run was terminated
		c.l.callers = append(c.l.callers, c)
		c.l.after(c.l.env, 0, c.l.askAgain)
	}
}

// askAgain lets callers who were answered read how the user stands, and ask again if that was not what they wanted.
func (l *life) askAgain() {
	all := l.callers
	l.callers = nil
	for _, c := range all {
		if c.err == nil && !c.again && !l.terminated && c.in.WantsAnother(l.state()) {
			c.again = true
			l.startInto(c.in, c)
			continue
		}
		l.checkStart(c)
	}
}

// moves changes the status of a session at Didit, and sends the webhook unless it is lost.
func (l *life) moves(s *fakeSession, to didit.Status, lost bool) {
	if s.deleted {
		return
	}
	l.didit.becomes(s, to)
	if !lost {
		l.webhook(l.event(s, to))
	}
}

// event is what Didit sends of a status.
func (l *life) event(s *fakeSession, to didit.Status) kyc.DiditEvent {
	l.events++
	return kyc.DiditEvent{
		EventID: sessionID(1000 + l.events), Type: didit.EventStatusUpdated, SessionID: s.id, Status: to, CreatedAt: l.clock().Unix(),
	}
}

// webhook is what kyc.Client.Deliver does.
func (l *life) webhook(ev kyc.DiditEvent) {
	s := l.didit.find(ev.SessionID)
	known := l.state().SessionID
	if known == "" && l.env != nil && l.input.Resume && len(l.past) > 0 { // a run that an event began a moment ago
		known = l.past[len(l.past)-1].State.SessionID
	}
	ours := s != nil && s.meta().Deployment == deployment || known == ev.SessionID
	switch {
	case !ours, ev.Status == didit.StatusNotStarted:
	case l.env != nil:
		l.env.SignalWorkflow(kyc.SignalDiditEvent, ev)
	default:
		l.run(kyc.Input{UserID: user, Resume: true}, func() { l.env.SignalWorkflow(kyc.SignalDiditEvent, ev) })
	}
}
