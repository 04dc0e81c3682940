package workflows_test

import (
	"fmt"
	"slices"
	"time"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// oracle is the session of a flow that counts: the newest of ours, unless an older one that no reverify has replaced
// outranks it. Ours is a session with our deployment in its metadata, or the one that the newest run has.
func oracle(sessions []*fakeSession, flow, current string) (counts *fakeSession) {
	settled := func(s *fakeSession) bool {
		return slices.Contains([]didit.Status{didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview}, s.status)
	}
	for _, s := range slices.Backward(sessions) {
		switch {
		case s.meta().Deployment != deployment && s.id != current, s.flow != flow:
			continue
		case counts == nil:
			counts = s
		case settled(counts):
			return counts
		case unfinished(counts.status) && s.status == didit.StatusApproved, !unfinished(counts.status) && (settled(s) || unfinished(s.status)):
			counts = s
		}
		if s.meta().Reverify {
			return counts
		}
	}
	return counts
}

// checkPurchase is the rule that no user is paid for twice.
func (l *life) checkPurchase(made *fakeSession, before []*fakeSession) {
	if made.meta().Reverify {
		return
	}
	for _, s := range slices.Backward(before) {
		if s.flow != made.flow || s.meta().Deployment != deployment && l.list[kyc.AttributeSessionID] != s.id {
			continue
		}
		if unfinished(s.status) || slices.Contains([]didit.Status{didit.StatusInReview, didit.StatusApproved, didit.StatusDeclined}, s.status) {
			l.problem = fmt.Sprintf("session %s was bought beside %s, which is %s", made.id, s.id, s.status)
		}
		if s.meta().Reverify {
			return
		}
	}
}

// checkRemoval is the rule that only a session of ours is deleted, and only before the person opens it.
func (l *life) checkRemoval(s *fakeSession) {
	switch {
	case l.didit.blurred:
	case s.meta().Deployment != deployment && l.list[kyc.AttributeSessionID] != s.id:
		l.problem = fmt.Sprintf("session %s, which another program made, was deleted", s.id)
	case s.status != didit.StatusNotStarted && l.didit.shown(s) != didit.StatusNotStarted:
		l.problem = fmt.Sprintf("session %s was deleted, which is %s", s.id, s.status)
	}
}

// checkStart is the rule that a caller gets a link that works, or none, and learns of which flow the session is.
func (l *life) checkStart(c *caller) {
	said := kyc.Snapshot{State: l.state()}
	if l.env != nil {
		said = l.snapshot()
	}
	x := l.didit.find(said.State.SessionID)
	switch s := said.State; {
	case l.problem != "", l.terminated, typeOf(c.err) == kyc.ErrorTypeCancelled:
		return
	case c.err != nil:
		l.problem = fmt.Sprintf("START failed: %v", c.err)
	case x != nil && s.WorkflowID != x.flow:
		l.problem = fmt.Sprintf("START says that session %s is of flow %q, and Didit says %q", x.id, s.WorkflowID, x.flow)
	case c.done && c.in.Reverify && c.in.WorkflowID != "" && c.in.WorkflowID != c.session.WorkflowID:
		l.problem = fmt.Sprintf("START asked for flow %q and got a session of %q", c.in.WorkflowID, c.session.WorkflowID)
	case c.in.WorkflowID != "" && c.in.WorkflowID != s.WorkflowID: // kyc.Client.Start refuses that
		return
	case s.PersonMustAct() && (x == nil || said.Session.URL != link(x)):
		l.problem = fmt.Sprintf("START gives the link %q for session %s", said.Session.URL, s.SessionID)
	case s.PersonMustAct() && !unfinished(x.status) && l.clock().Sub(x.since) > linkMayBeOld:
		l.problem = fmt.Sprintf("START gives the link of session %s, which is %s for %s", x.id, x.status, l.clock().Sub(x.since))
	}
	if c.in.WorkflowID != "" {
		l.flow = c.in.WorkflowID
	}
}

// linkMayBeOld is how long after its end a link may be given to a caller: it is checked once a minute, and Didit may lag.
const linkMayBeOld = 2 * time.Minute

// checkList is the rule that the list in Temporal's Web UI shows the user's state.
func (l *life) checkList(s kyc.State) string {
	waiting := kyc.WaitingFor("")
	switch {
	case s.PersonMustAct():
		waiting = kyc.WaitingForUser
	case s.Status == didit.StatusInReview && s.Outcome == "":
		waiting = kyc.WaitingForReview
	}
	want := map[string]any{
		kyc.AttributeStatus: string(s.Status), kyc.AttributeOutcome: string(s.Outcome), kyc.AttributeSessionID: s.SessionID,
		kyc.AttributeFlow: s.WorkflowID, kyc.AttributeWaitingFor: string(waiting), kyc.AttributeErrorType: s.ErrorType,
	}
	for name, value := range want {
		if shown, ok := l.list[name]; shown != value && (ok || value != "") {
			return fmt.Sprintf("the list shows %s %v, and the user is %s %q by %s", name, shown, s.Status, s.Outcome, s.SessionID)
		}
	}
	if _, deadline := l.list[kyc.AttributeDeadline]; deadline != s.PersonMustAct() || l.list[kyc.AttributeAttempt] != int64(s.Attempt) {
		return fmt.Sprintf("the list shows attempt %v, deadline %v, and the user is %s, attempt %d", l.list[kyc.AttributeAttempt], deadline, s.Status, s.Attempt)
	}
	return ""
}

// judgeUntouched judges a user whose newest run was not stopped: webhooks alone must keep such a user right. After a
// cancellation that has left no session, what Didit says of an older one counts from the next START on.
func (l *life) judgeUntouched() {
	s, known := l.state(), l.env != nil || len(l.past) > 0
	cancelled := s.Outcome == kyc.OutcomeCancelled && l.didit.find(s.SessionID) == nil
	if wrong := l.judge(); wrong != "" && known && !l.terminated && !l.stopped && !cancelled {
		l.problem = "before the last START: " + wrong
	}
}

// judge compares the user's state at rest with Didit, and with what was reported.
func (l *life) judge() string {
	s := l.state()
	flow := s.WorkflowID
	for _, x := range l.didit.live() {
		if s.UserID == "" && x.meta().Deployment == deployment { // a run that knows nothing of the user
			flow = x.flow
		}
	}
	truth := oracle(l.didit.live(), flow, s.SessionID)
	switch {
	case l.problem != "":
		return l.problem
	case truth == nil, l.didit.blurred:
		return ""
	case l.flow != "" && s.WorkflowID != l.flow:
		return fmt.Sprintf("the user is of flow %q, and got one of %q", s.WorkflowID, l.flow)
	case s.SessionID != truth.id || s.Status != truth.status:
		if s.Outcome == kyc.OutcomeCancelled && truth.status != didit.StatusApproved && truth.status != didit.StatusDeclined {
			return "" // an operator's word, until Didit has a verdict
		}
		return fmt.Sprintf("the user is %s by %s, and Didit says %s by %s", s.Status, s.SessionID, truth.status, truth.id)
	}
	slices.SortStableFunc(l.results, func(a, b kyc.Result) int { return a.Data.UpdatedAt.Compare(b.Data.UpdatedAt) })
	var last kyc.State
	for _, r := range l.results {
		if x := l.didit.find(r.Data.SessionID); x != nil && x.foreign {
			return fmt.Sprintf("reported: %s %s of session %s, which another program made", r.Type, r.Data.Status, x.id)
		}
		if r.Data.SameAs(last) && last.SessionID != "" && !l.mayHaveHeard(last, r.Data) { // two requests may end without a session
			return fmt.Sprintf("reported twice: %s %s %q", r.Type, r.Data.Status, r.Data.Outcome)
		}
		if last = r.Data; r.Type == kyc.ResultInReview && r.Data.Status != didit.StatusInReview {
			return fmt.Sprintf("%s reports %s", r.Type, r.Data.Status)
		}
	}
	if final := s.Outcome != "" || s.Status == didit.StatusInReview; final && !last.SameAs(s) || last.SessionID == s.SessionID && last.Outcome != "" && !last.SameAs(s) {
		return fmt.Sprintf("the newest result says %s %q, and the user is %s %q; reported %s", last.Status, last.Outcome, s.Status, s.Outcome, l.reported())
	}
	return l.checkList(s)
}

// mayHaveHeard reports whether a run was terminated after it had posted a result between two others, which was refused. The
// next run does not know that, takes it as reported, and says again what was true before.
func (l *life) mayHaveHeard(before, after kyc.State) bool {
	return slices.ContainsFunc(l.cutOff, func(r kyc.Result) bool {
		return !r.Data.SameAs(after) && r.Data.UpdatedAt.After(before.UpdatedAt) && r.Data.UpdatedAt.Before(after.UpdatedAt)
	})
}

func (l *life) reported() (all []string) {
	for _, r := range l.results {
		all = append(all, fmt.Sprintf("%s %s %q", r.Type, r.Data.Status, r.Data.Outcome))
	}
	return all
}
