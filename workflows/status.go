package workflows

import (
	"time"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// sessionState is what a verification knows about its session. Its methods interpret Didit's statuses; they are plain Go,
// without a workflow.Context, and the clock is an argument.
type sessionState struct {
	kyc.State
	changes          int             // of status and outcome so far in this run
	newest           int64           // created_at of the newest event that was applied; older ones do not count
	seen             map[string]bool // ids of events that were applied: Temporal drops repeats only within one run
	confirmed        bool            // Didit's decision has been read
	needsRead        bool            // Didit's decision must be read before anything is reported
	decisionUnusable bool            // the last decision is gone, or not about this session
	lag              lag
	promptedAt       time.Time // when the person was last asked to act: the deadline counts from it
}

// lag is a status that a fresh event reported and that Didit's decision does not show yet.
type lag struct {
	status didit.Status
	reads  int
	next   time.Time // when to read again; zero for not at all
}

// lagBackoff are the delays before Didit's decision is read again.
var lagBackoff = []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second}

func newSessionState(userID string, now time.Time) sessionState {
	return sessionState{
		State: kyc.State{UserID: userID, Checks: []kyc.Check{}, Warnings: []string{}, UpdatedAt: now},
		seen:  map[string]bool{},
	}
}

// follow begins to follow a session.
func (s *sessionState) follow(session kyc.Session, now time.Time) {
	seen, changes := s.seen, s.changes
	*s = newSessionState(s.UserID, now)
	s.seen, s.changes, s.promptedAt, s.CheckedAt = seen, changes, now, now
	s.SessionID, s.WorkflowID, s.Attempt = session.SessionID, session.WorkflowID, 1
	if !kyc.PersonActs(session.Status) { // a session that was just made, or is continued, has not ended
		session.Status = didit.StatusNotStarted
	}
	s.become(session.Status, now)
}

// maxClockSkew is how far Didit's clock may be ahead of ours. An event from further in the future does not order others.
const maxClockSkew = 10 * time.Minute

// freshFor is how long after an event Didit's decision may not show it yet.
const freshFor = 2 * time.Minute

// apply applies one event about the session. Events may come in any order and repeated. Only the first In Progress takes
// effect: Didit's decision has to confirm any other status.
func (s *sessionState) apply(ev kyc.DiditEvent, now time.Time) {
	happened := time.Unix(ev.CreatedAt, 0)
	ordered := ev.CreatedAt > 0 && happened.Before(now.Add(maxClockSkew))
	if s.seen[ev.EventID] || ordered && ev.CreatedAt < s.newest {
		return
	}
	s.seen[ev.EventID] = true
	newer := ev.CreatedAt > s.newest
	if ordered {
		s.newest = ev.CreatedAt
	}
	switch {
	case ev.Status == didit.StatusNotStarted: // no session goes back to it
	case ordered && ev.Status == s.Status:
		if newer || !ahead(s.lag.status, s.Status) { // of two events of one second either may be the last
			s.lag = lag{} // the status of an older event is past, not missing
		}
	case ordered && ev.Status == didit.StatusInProgress && !s.confirmed && !s.ended():
		s.become(ev.Status, now)
	default:
		s.needsRead = true
		if ordered && now.Sub(happened) < freshFor && (ev.Status != didit.StatusInProgress || s.ended()) {
			s.lag = lag{status: ev.Status}
		}
	}
}

// applyDecision applies Didit's decision, the authority, and reports whether it could be used: one that is not about the
// session, or has an unknown status, changes nothing.
func (s *sessionState) applyDecision(d activities.Decision, now time.Time) bool {
	s.needsRead, s.decisionUnusable = false, len(d.Foreign) > 0 || !d.Status.Known()
	if s.decisionUnusable {
		s.lag = lag{}
		return false
	}
	s.confirmed, s.CheckedAt = true, now
	s.become(d.Status, now)
	s.Checks, s.Warnings = append([]kyc.Check{}, d.Checks...), append([]string{}, d.Warnings...)
	if d.WorkflowID != "" {
		s.WorkflowID = d.WorkflowID
	}
	s.Outcome, s.ErrorType = outcomeOf(d.Status), ""
	s.lag.again(s.lag.status != "" && s.lag.status != d.Status, now)
	return true
}

// again plans another read while the decision lags, as long as a delay is left.
func (l *lag) again(lagging bool, now time.Time) {
	if !lagging || l.reads == len(lagBackoff) {
		*l = lag{}
		return
	}
	l.next = now.Add(lagBackoff[l.reads])
	l.reads++
}

// over reports whether it is time to read again.
func (l *lag) over(now time.Time) bool { return !l.next.IsZero() && !now.Before(l.next) }

// timeUp ends a session whose person did not act in time, with the outcome that Didit would have.
func (s *sessionState) timeUp(now time.Time) {
	outcome := kyc.OutcomeAbandoned
	if s.Status == didit.StatusNotStarted {
		outcome = kyc.OutcomeExpired
	}
	s.end(outcome, "", now)
}

func (s *sessionState) end(o kyc.Outcome, errorType string, now time.Time) {
	s.Outcome, s.ErrorType, s.UpdatedAt = o, errorType, now
	s.changes++
	s.needsRead, s.lag = false, lag{}
}

// become changes the status. A person who is asked to come back starts another attempt.
func (s *sessionState) become(status didit.Status, now time.Time) {
	if status == s.Status {
		return
	}
	if status == didit.StatusResubmitted {
		s.Attempt++
		s.promptedAt = now
	}
	s.Status, s.UpdatedAt = status, now
	s.changes++
}

// reviewAlertAge is when a review has waited so long that an operator should ask in Didit's console.
const reviewAlertAge = 72 * time.Hour

// reviewLate reports whether a review has waited for reviewAlertAge. It has no deadline: nothing ends it.
func (s *sessionState) reviewLate(now time.Time) bool {
	return s.Status == didit.StatusInReview && now.Sub(s.UpdatedAt) >= reviewAlertAge
}

func (s *sessionState) ended() bool { return s.Outcome != "" }

// outcomeOf is empty for a status in which a person or a reviewer still has to act.
func outcomeOf(s didit.Status) kyc.Outcome { return outcomes[s] }

var outcomes = map[didit.Status]kyc.Outcome{
	didit.StatusApproved:   kyc.OutcomeApproved,
	didit.StatusDeclined:   kyc.OutcomeDeclined,
	didit.StatusExpired:    kyc.OutcomeExpired,
	didit.StatusAbandoned:  kyc.OutcomeAbandoned,
	didit.StatusKycExpired: kyc.OutcomeLapsed,
}

// finished reports whether a session has a verdict, or a reviewer who will give one.
func finished(s didit.Status) bool { return s == didit.StatusInReview || outcomeOf(s).Decided() }

// outranks reports whether an older session of a user and flow counts although a newer one exists: an approval while the
// person still has to act on the newer one, and any that is finished or goes on if the newer one ended without a verdict.
func outranks(older, newer didit.Status) bool {
	switch {
	case finished(newer):
		return false
	case kyc.PersonActs(newer):
		return older == didit.StatusApproved
	}
	return kyc.PersonActs(older) || finished(older)
}

// keepsFromBuying reports whether no session is made beside one with this status unless the caller says reverify.
func keepsFromBuying(s didit.Status) bool { return kyc.PersonActs(s) || finished(s) }

// mayCount reports whether an event of another session can change which session counts.
func mayCount(s didit.Status) bool { return s == didit.StatusResubmitted || finished(s) }

// ahead reports whether the decision does not show yet a status that Didit's list or an event has.
func ahead(reported, decided didit.Status) bool {
	return reported != decided && (reported == didit.StatusResubmitted || reported == didit.StatusKycExpired || finished(reported))
}
