package chaos

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// mostDetails bounds what a report says beside its numbers.
const mostDetails = 20

func (r *report) note(format string, args ...any) {
	if len(r.details) < mostDetails {
		r.details = append(r.details, fmt.Sprintf(format, args...))
	}
}

// judge compares what became of a person with what Didit says.
func (r *report) judge(c *chaos, p person, state kyc.State, b book, acked map[string][]string) {
	if b.err != nil {
		r.note("%s: its history cannot be read: %v", p.id, b.err)
		r.stuck++
		return
	}
	sessions := c.sim.SessionsOf(p.id)
	r.creates += c.createsOf(p.id)
	if len(sessions) != 1 {
		r.twice++
		r.note("%s: %d sessions", p.id, len(sessions))
	}
	r.judgeState(p, state, sessions)
	for _, s := range sessions {
		for _, id := range acked[s.ID] {
			switch {
			case b.first[id]:
				r.found++
			case b.later[id]:
				r.late++
			default:
				r.lost++
				r.note("%s: event %s was answered 2xx and is in no history", p.id, id)
			}
		}
	}
	for id, n := range b.signals {
		if n > 1 {
			r.duplicates++
			r.note("%s: run and event %s: %d signals", p.id, id, n)
		}
	}
}

func (r *report) judgeState(p person, state kyc.State, sessions []diditsim.Session) {
	switch {
	case state.Outcome == "":
		r.stuck++
		r.note("%s: has not ended", p.id)
	case len(sessions) == 0 || state.Status != sessions[0].Status || state.Status != p.verdict:
		r.wrong++
		r.note("%s: ended %s (%s), Didit says otherwise", p.id, state.Outcome, state.Status)
	}
}

// String is the table.
func (r *report) String() string {
	var t strings.Builder
	row := func(what string, n any) { fmt.Fprintf(&t, "  %-46s %v\n", what, n) }
	for _, victim := range []string{victimWebhook, victimWorker, victimTemporal} {
		row("kill -9 of "+victim, fmt.Sprintf("%d (and ended by itself %d times)", r.killed[victim], r.ended[victim]))
	}
	row("users", r.users)
	row("calls to create a session", r.creates)
	row("sessions at Didit", r.sessions)
	row("deliveries", fmt.Sprintf("%d: %d answered 5xx, %d not answered", r.attempts, r.refused, r.silent))
	row("events answered 2xx (acked)", r.acked)
	row("... in the run that made the session", r.found)
	row("... in a later run", r.late)
	row("... of a session's start, not signalled", r.noNews)
	row("... lost", r.lost)
	row("events sent, never answered 2xx", r.missed)
	row("events twice in a run (duplicates)", r.duplicates)
	row("users with two billable sessions", r.twice)
	row("users whose end is not Didit's", r.wrong)
	row("users who are stuck", r.stuck)
	row("took", r.took)
	for _, d := range r.details {
		t.WriteString("  - " + d + "\n")
	}
	return t.String()
}

func (r *report) require(t *testing.T, users, kills int) {
	t.Helper()
	for _, victim := range []string{victimWebhook, victimWorker, victimTemporal} {
		assert.Equal(t, kills, r.killed[victim], "kills of %s", victim)
	}
	assert.Equal(t, users, r.users)
	assert.Equal(t, users, r.sessions, "one session a user")
	assert.Equal(t, r.acked, r.found+r.late+r.noNews, "every event that was answered 2xx is somewhere")
	assert.NotZero(t, r.acked)
	for what, n := range map[string]int{
		"lost": r.lost, "duplicates": r.duplicates, "two sessions": r.twice, "wrong end": r.wrong, "stuck": r.stuck, "refused for good": r.foul,
	} {
		assert.Zero(t, n, what)
	}
}
