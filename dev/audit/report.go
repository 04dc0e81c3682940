package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// Report is what an audit counted.
type Report struct {
	Users, Sessions           int
	Attempts, refused, silent int            // deliveries: all, answered with an error, not answered
	foul                      int            // deliveries answered with neither 2xx nor 5xx
	Acked                     int            // events that were answered 2xx; of these
	found, late, noNews, lost int            // in the run that made the session, in a later one, of a session's start, nowhere
	missed                    int            // events that were never answered 2xx: the verification found out by itself
	duplicates                int            // events that are more than once in a run
	Creates                   int            // calls to create a session
	twice, wrong, stuck       int            // users
	FailedTasks               map[string]int // workflow tasks by the cause of their failure, such as non-determinism
	Histories                 []*historypb.History
	details                   []string
}

// countDeliveries returns the events that were answered 2xx, by session. That a session was made is known without its
// webhook, so that one is in no history.
func (r *Report) countDeliveries(all []diditsim.DeliveryAttempt) map[string][]string {
	events, seen, sent := map[string][]string{}, map[string]bool{}, map[string]bool{}
	for _, d := range all {
		r.Attempts++
		sent[d.EventID] = true
		switch {
		case d.Code == 0:
			r.silent++
		case d.Code >= 500:
			r.refused++
		case d.Code >= 300:
			r.foul++
			r.note("session %s: a webhook was answered %d", d.SessionID, d.Code)
		case !seen[d.EventID]:
			seen[d.EventID] = true
			if d.Status == didit.StatusNotStarted {
				r.noNews++
				continue
			}
			events[d.SessionID] = append(events[d.SessionID], d.EventID)
		}
	}
	r.Acked, r.missed = len(seen), len(sent)-len(seen)
	return events
}

// mostDetails bounds what a report says beside its numbers.
const mostDetails = 20

func (r *Report) note(format string, args ...any) {
	if len(r.details) < mostDetails {
		r.details = append(r.details, fmt.Sprintf(format, args...))
	}
}

// judge compares what became of a person with what Didit says.
func (r *Report) judge(a Auditor, p Person, state kyc.State, b book, acked map[string][]string) {
	if b.err != nil {
		r.note("%s: its history cannot be read: %v", p.ID, b.err)
		r.stuck++
		return
	}
	sessions := a.Sim.SessionsOf(p.ID)
	r.Creates += a.Creates.Of(p.ID)
	if len(sessions) != 1 {
		r.twice++
		r.note("%s: %d sessions", p.ID, len(sessions))
	}
	r.judgeState(p, state, sessions)
	r.judgeEvents(p, b, sessions, acked)
	r.Histories = append(r.Histories, b.runs...)
	for _, run := range b.runs {
		for _, ev := range run.GetEvents() {
			if cause := failure(ev); cause != "" {
				r.FailedTasks[cause]++
				r.note("%s: a workflow task failed: %s", p.ID, ev.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage())
			}
		}
	}
}

// judgeEvents looks for each event that was acknowledged in the histories.
func (r *Report) judgeEvents(p Person, b book, sessions []diditsim.Session, acked map[string][]string) {
	for _, s := range sessions {
		for _, id := range acked[s.ID] {
			switch {
			case b.first[id]:
				r.found++
			case b.later[id]:
				r.late++
			default:
				r.lost++
				r.note("%s: event %s was answered 2xx and is in no history", p.ID, id)
			}
		}
	}
	for id, n := range b.signals {
		if n > 1 {
			r.duplicates++
			r.note("%s: run and event %s: %d signals", p.ID, id, n)
		}
	}
}

func (r *Report) judgeState(p Person, state kyc.State, sessions []diditsim.Session) {
	switch {
	case state.Outcome == "":
		r.stuck++
		r.note("%s: has not ended", p.ID)
	case len(sessions) == 0 || state.Status != sessions[0].Status || state.Status != p.Verdict:
		r.wrong++
		r.note("%s: ended %s (%s), Didit says otherwise", p.ID, state.Outcome, state.Status)
	}
}

// String is the table.
func (r *Report) String() string {
	var t strings.Builder
	row := func(what string, n any) { fmt.Fprintf(&t, "  %-46s %v\n", what, n) }
	row("users", r.Users)
	row("calls to create a session", r.Creates)
	row("sessions at Didit", r.Sessions)
	row("deliveries", fmt.Sprintf("%d: %d answered 5xx, %d not answered", r.Attempts, r.refused, r.silent))
	row("events answered 2xx (acked)", r.Acked)
	row("... in the run that made the session", r.found)
	row("... in a later run", r.late)
	row("... of a session's start, not signalled", r.noNews)
	row("... lost", r.lost)
	row("events sent, never answered 2xx", r.missed)
	row("events twice in a run (duplicates)", r.duplicates)
	row("users with two billable sessions", r.twice)
	row("users whose end is not Didit's", r.wrong)
	row("users who are stuck", r.stuck)
	row("workflow tasks that failed", r.failed())
	for _, d := range r.details {
		t.WriteString("  - " + d + "\n")
	}
	return t.String()
}

// failed names the causes and how often each was.
func (r *Report) failed() string {
	var all []string
	for _, cause := range slices.Sorted(maps.Keys(r.FailedTasks)) {
		all = append(all, fmt.Sprintf("%d of %s", r.FailedTasks[cause], cause))
	}
	return cmp.Or(strings.Join(all, ", "), "0")
}

// Require fails the test if anything was lost, paid twice or stuck, or if code met a history that it could not continue.
func (r *Report) Require(t *testing.T, users int) {
	t.Helper()
	assert.Equal(t, users, r.Users)
	assert.Equal(t, users, r.Sessions, "one session a user")
	assert.Equal(t, r.Acked, r.found+r.late+r.noNews, "every event that was answered 2xx is somewhere")
	assert.NotZero(t, r.Acked)
	assert.Empty(t, r.FailedTasks, "workflow tasks that failed")
	for what, n := range map[string]int{
		"lost": r.lost, "duplicates": r.duplicates, "two sessions": r.twice, "wrong end": r.wrong, "stuck": r.stuck, "refused for good": r.foul,
	} {
		assert.Zero(t, n, what)
	}
}
