package workflows

import (
	"time"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// record is what a verification knows. Its methods give Didit's words their meaning; they are plain Go, without a
// workflow.Context, and the clock is an argument.
type record struct {
	state kyc.State
	// newest is the created_at of the event that changed something last. Older ones come too late to matter.
	newest int64
	// seen holds the events that were applied. The server drops repeats too, but only within one run of the workflow.
	seen map[string]bool
	// read is set once Didit's decision has been read. From then on an event is only a reason to read it again.
	read bool
	// doubt is set when Didit's decision must be read before anything else is said.
	doubt bool
	// trouble is set when Didit's decision could not be used: it is about somebody else, gone, or in no known words.
	trouble bool
	// more is set when an event implied that another one follows.
	more bool
	// asked is when the user was asked to act last: the session's deadline counts from it.
	asked time.Time
}

func newRecord(userID string, now time.Time) record {
	return record{
		state: kyc.State{UserID: userID, Checks: []kyc.Check{}, Warnings: []string{}, UpdatedAt: now},
		seen:  map[string]bool{},
	}
}

// begin notes the session that was made for the user.
func (r *record) begin(s kyc.Session, now time.Time) {
	r.state.SessionID, r.state.Attempt, r.asked = s.SessionID, 1, now
	if !s.Status.Known() || ends(s.Status) { // a session that was just made, or is continued, has not ended
		s.Status = didit.StatusNotStarted
	}
	r.become(s.Status, now)
}

// apply takes in one event. Events may come in any order, repeated, and about sessions that were replaced.
func (r *record) apply(ev kyc.DiditEvent, now time.Time) {
	switch {
	case ev.Type != didit.EventStatusUpdated, !ev.Status.Known(), ev.SessionID != r.state.SessionID, r.seen[ev.EventID]:
		return
	case ev.CreatedAt == 0: // an old format: nobody knows when it was
		r.seen[ev.EventID], r.doubt = true, true
		return
	case ev.CreatedAt < r.newest:
		return
	}
	// Of two events of one second it is unknown which came first. Where the order counts attempts, Didit is asked.
	undone := ev.CreatedAt == r.newest && r.state.Status == didit.StatusResubmitted
	r.seen[ev.EventID], r.newest = true, ev.CreatedAt
	switch {
	case ev.Status == r.state.Status, ev.Status == didit.StatusNotStarted:
		// Nothing new: no session goes back to Not Started.
	case r.read, ends(ev.Status), undone:
		r.doubt = true // and an event of the same second, in which order is unknown, cannot take it away
	default:
		r.become(ev.Status, now)
	}
	r.more = r.more || ev.Status == didit.StatusInProgress
}

// settle takes in Didit's decision, the authority, and reports whether it could be used: a foreign one, or one with a
// status nobody has heard of, says nothing.
func (r *record) settle(d activities.Decision, now time.Time) bool {
	doubted := r.doubt
	r.doubt, r.trouble = false, len(d.Foreign) > 0 || !d.Status.Known()
	if r.trouble {
		return false
	}
	r.read = true
	r.become(d.Status, now)
	r.state.Checks, r.state.Warnings = append([]kyc.Check{}, d.Checks...), append([]string{}, d.Warnings...)
	r.state.Outcome = outcomeOf(d.Status)
	r.more = r.more || doubted && !r.ended() // Didit told of an end that its own decision does not show yet
	return true
}

// timeUp ends a verification whose user did not act in time, as Didit would have called it.
func (r *record) timeUp(now time.Time) {
	outcome := kyc.OutcomeAbandoned
	if r.state.Status == didit.StatusNotStarted {
		outcome = kyc.OutcomeExpired
	}
	r.end(outcome, "", now)
}

func (r *record) end(o kyc.Outcome, errorType string, now time.Time) {
	r.state.Outcome, r.state.ErrorType, r.state.UpdatedAt = o, errorType, now
}

// become changes the status. A user who is asked to come back starts another attempt.
func (r *record) become(s didit.Status, now time.Time) {
	if s == r.state.Status {
		return
	}
	if s == didit.StatusResubmitted {
		r.state.Attempt++
		r.asked = now
	}
	r.state.Status, r.state.UpdatedAt = s, now
}

// reviewAlertAge is when a review has waited so long that somebody should ask in Didit's console.
const reviewAlertAge = 72 * time.Hour

// reviewLate reports whether a review has waited for reviewAlertAge. It has no deadline: nothing ends it.
func (r *record) reviewLate(now time.Time) bool {
	return r.state.Status == didit.StatusInReview && now.Sub(r.state.UpdatedAt) >= reviewAlertAge
}

func (r *record) ended() bool { return r.state.Outcome != "" }

// userMustAct reports whether the deadline runs: it never ends a review.
func (r *record) userMustAct() bool {
	switch r.state.Status {
	case didit.StatusNotStarted, didit.StatusInProgress, didit.StatusAwaitingUser, didit.StatusResubmitted:
		return !r.ended()
	}
	return false
}

// ends reports whether a session in status s has left the hands of user and reviewer.
func ends(s didit.Status) bool { return outcomeOf(s) != "" }

// outcomeOf is empty for a status in which somebody still has to act.
func outcomeOf(s didit.Status) kyc.Outcome {
	switch s {
	case didit.StatusApproved:
		return kyc.OutcomeApproved
	case didit.StatusDeclined:
		return kyc.OutcomeDeclined
	case didit.StatusExpired:
		return kyc.OutcomeExpired
	case didit.StatusAbandoned:
		return kyc.OutcomeAbandoned
	case didit.StatusKycExpired:
		return kyc.OutcomeLapsed
	}
	return ""
}

// change compares Didit's decision with what was reported of the session last. A repeated verdict is harmless, a lost
// one is not, so where nobody remembers it counts as changed.
func change(in kyc.Change, last kyc.State, d activities.Decision, now time.Time) kyc.ChangeResult {
	if !knownStatus(d) || last.SessionID == in.Event.SessionID && last.Status == d.Status {
		return kyc.ChangeResult{State: last}
	}
	r := newRecord(in.UserID, now)
	r.state.SessionID, r.state.Attempt = in.Event.SessionID, max(1, last.Attempt, d.Attempt)
	r.settle(d, now)
	return kyc.ChangeResult{State: r.state, Changed: true}
}
