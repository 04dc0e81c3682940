package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func begun() sessionState {
	s := newSessionState("u1", noon)
	s.follow(kyc.Session{SessionID: "s1", Status: didit.StatusNotStarted}, noon)
	return s
}

// event is an event that happened so many seconds after noon.
func event(id string, second int64, s didit.Status) kyc.DiditEvent {
	return kyc.DiditEvent{EventID: id, Type: didit.EventStatusUpdated, SessionID: "s1", Status: s, CreatedAt: noon.Unix() + second}
}

// An event meets what the state shows. The first column says how the state learned of it: from the create, by webhook, or
// by reading Didit's decision.
//
//	.  nothing changes
//	=  the event's status is shown
//	?  nothing is shown before Didit's decision has been read
const eventTable = `
                    | Not Started | In Progress | Awaiting User | In Review | Approved | Declined | Resubmitted | Abandoned | Expired | Kyc Expired
made: Not Started   | .           | =           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | ?
heard: In Progress  | .           | .           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: Not Started   | .           | ?           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: In Progress   | .           | .           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: Awaiting User | .           | ?           | .             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: In Review     | .           | ?           | ?             | .         | ?        | ?        | ?           | ?         | ?       | ?
read: Resubmitted   | .           | ?           | ?             | ?         | ?        | ?        | .           | ?         | ?       | ?
read: Approved      | .           | ?           | ?             | ?         | .        | ?        | ?           | ?         | ?       | ?
read: Declined      | .           | ?           | ?             | ?         | ?        | .        | ?           | ?         | ?       | ?
read: Abandoned     | .           | ?           | ?             | ?         | ?        | ?        | ?           | .         | ?       | ?
read: Expired       | .           | ?           | ?             | ?         | ?        | ?        | ?           | ?         | .       | ?
read: Kyc Expired   | .           | ?           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | .`

// Didit's decision meets what the state shows. It is shown whatever was shown before. The cell is the outcome, "-" where a
// person or a reviewer has to act, "+" where the person begins another attempt.
const decisionTable = `
                    | Not Started | In Progress | Awaiting User | In Review | Approved | Declined | Resubmitted | Abandoned | Expired | Kyc Expired
made: Not Started   | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
heard: In Progress  | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Not Started   | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: In Progress   | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Awaiting User | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: In Review     | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Resubmitted   | -           | -           | -             | -         | approved | declined | -           | abandoned | expired | lapsed
read: Approved      | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Declined      | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Abandoned     | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Expired       | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Kyc Expired   | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed`

// Which of two sessions of one flow counts: "o" the older one, a dot the newer one. Columns are the newer one's statuses.
const rankTable = `
              | Not Started | In Progress | Awaiting User | In Review | Approved | Declined | Resubmitted | Abandoned | Expired | Kyc Expired
Not Started   | .           | .           | .             | .         | .        | .        | .           | o         | o       | o
In Progress   | .           | .           | .             | .         | .        | .        | .           | o         | o       | o
Awaiting User | .           | .           | .             | .         | .        | .        | .           | o         | o       | o
In Review     | .           | .           | .             | .         | .        | .        | .           | o         | o       | o
Approved      | o           | o           | o             | .         | .        | .        | o           | o         | o       | o
Declined      | .           | .           | .             | .         | .        | .        | .           | o         | o       | o
Resubmitted   | .           | .           | .             | .         | .        | .        | .           | o         | o       | o
Abandoned     | .           | .           | .             | .         | .        | .        | .           | .         | .       | .
Expired       | .           | .           | .             | .         | .        | .        | .           | .         | .       | .
Kyc Expired   | .           | .           | .             | .         | .        | .        | .           | .         | .       | .`

// cells calls f with every cell of a table.
func cells(t *testing.T, table string, rows int, f func(t *testing.T, row string, column didit.Status, cell string)) {
	t.Helper()
	lines := strings.Split(strings.TrimPrefix(table, "\n"), "\n")
	columns := split(lines[0])[1:]
	require.Len(t, columns, len(didit.Statuses()))
	require.Len(t, lines, 1+rows)
	seen := map[string]bool{}
	for _, line := range lines[1:] {
		row := split(line)
		require.Len(t, row, 1+len(columns), line)
		require.False(t, seen[row[0]], row[0])
		seen[row[0]] = true
		for i, column := range columns {
			require.True(t, didit.Status(column).Known(), column)
			t.Run(row[0]+", then "+column, func(t *testing.T) { f(t, row[0], didit.Status(column), row[i+1]) })
		}
	}
}

func split(line string) []string {
	fields := strings.Split(line, "|")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields
}

// shows is the state that a row describes.
func shows(t *testing.T, row string) sessionState {
	t.Helper()
	how, word, _ := strings.Cut(row, ": ")
	s := begun()
	switch status := didit.Status(word); how {
	case "heard":
		s.apply(event("before", 1, status), noon)
	case "read":
		require.True(t, s.applyDecision(activities.Decision{Status: status, Warnings: []string{"W"}}, noon))
	}
	require.Equal(t, word, string(s.Status))
	require.False(t, s.needsRead)
	return s
}

func TestEveryEventInEveryStatus(t *testing.T) {
	cells(t, eventTable, 2+10, func(t *testing.T, row string, status didit.Status, cell string) {
		t.Helper()
		s := shows(t, row)
		want := s.State
		s.apply(event("now", 2, status), noon)
		if cell == "=" {
			want.Status = status
		}
		require.Equal(t, want, s.State, "an event alone touches neither outcome, attempt nor checks")
		require.Equal(t, cell == "?", s.needsRead)
	})
}

// The clock of an event may be wrong, or absent. It then orders nothing, and is a reason to ask Didit.
func TestAnEventWithoutACredibleTimeOrdersNothing(t *testing.T) {
	for name, at := range map[string]int64{
		"absent": 0, "negative": -5, "2^53": 1 << 53, "milliseconds": noon.UnixMilli(), "a quarter of an hour ahead": noon.Add(15 * time.Minute).Unix(),
	} {
		cells(t, eventTable, 2+10, func(t *testing.T, row string, status didit.Status, _ string) {
			t.Helper()
			s := shows(t, row)
			before, newest := s.State, s.newest
			ev := event("strange", 0, status)
			ev.CreatedAt = at
			s.apply(ev, noon)
			require.Equal(t, before, s.State, name)
			require.Equal(t, newest, s.newest, name)
			require.Zero(t, s.lag, name)
			require.Equal(t, status != didit.StatusNotStarted, s.needsRead, name)
			s.needsRead = false
			s.apply(event("later", 9, didit.StatusDeclined), noon)
			require.Equal(t, before.Status != didit.StatusDeclined, s.needsRead, "what comes later still counts")
		})
	}
}

func TestEveryDecisionInEveryStatus(t *testing.T) {
	cells(t, decisionTable, 2+10, func(t *testing.T, row string, status didit.Status, cell string) {
		t.Helper()
		for _, needsRead := range []bool{false, true} {
			s := shows(t, row)
			s.needsRead, s.ErrorType = needsRead, kyc.ErrorTypeNotFound
			want := s.State
			require.True(t, s.applyDecision(activities.Decision{Status: status}, noon))
			want.Status, want.Outcome, want.ErrorType, want.Warnings, want.CheckedAt = status, kyc.Outcome(cell), "", []string{}, noon
			switch cell {
			case "+":
				want.Attempt++
				want.Outcome = ""
			case "-":
				want.Outcome = ""
			}
			require.Equal(t, want, s.State)
			require.False(t, s.needsRead || s.decisionUnusable)
			require.True(t, s.confirmed)
		}
	})
}

func TestEveryPairOfSessions(t *testing.T) {
	cells(t, rankTable, 10, func(t *testing.T, row string, newer didit.Status, cell string) {
		t.Helper()
		require.Equal(t, cell == "o", outranks(didit.Status(row), newer))
	})
}

func TestWhatEachStatusIsWorth(t *testing.T) {
	const table = `
              | person acts | finished | keeps from buying | may count
Not Started   | yes         | no       | yes               | no
In Progress   | yes         | no       | yes               | no
Awaiting User | yes         | no       | yes               | no
In Review     | no          | yes      | yes               | yes
Approved      | no          | yes      | yes               | yes
Declined      | no          | yes      | yes               | yes
Resubmitted   | yes         | no       | yes               | yes
Abandoned     | no          | no       | no                | no
Expired       | no          | no       | no                | no
Kyc Expired   | no          | no       | no                | no
Teleported    | no          | no       | no                | no`
	for _, line := range strings.Split(table, "\n")[2:] {
		row := split(line)
		s := didit.Status(row[0])
		require.Equal(t, []string{yesNo(kyc.PersonActs(s)), yesNo(finished(s)), yesNo(keepsFromBuying(s)), yesNo(mayCount(s))}, row[1:], row[0])
		acts := kyc.State{SessionID: "s1", Status: s}.PersonMustAct()
		require.Equal(t, row[1], yesNo(acts), row[0])
	}
}

func TestADecisionThatSaysNothing(t *testing.T) {
	for name, d := range map[string]activities.Decision{
		"none at all":     {},
		"foreign":         {Status: didit.StatusApproved, Foreign: []string{"vendor_data"}},
		"an unknown word": {Status: "Teleported"},
	} {
		s := begun()
		s.apply(event("e1", 1, didit.StatusApproved), noon)
		before := s.State
		require.False(t, s.applyDecision(d, noon), name)
		require.False(t, s.needsRead, "asking again at once would be a loop")
		require.Zero(t, s.lag, name)
		require.Equal(t, before, s.State, name)
	}
}

func TestBeingAskedAgainRestartsTheClock(t *testing.T) {
	s := begun()
	later := noon.Add(time.Hour)
	s.applyDecision(activities.Decision{Status: didit.StatusResubmitted}, later)
	require.Equal(t, later, s.promptedAt)
	s.applyDecision(activities.Decision{Status: didit.StatusResubmitted}, later.Add(time.Hour))
	require.Equal(t, later, s.promptedAt)
	require.Equal(t, 2, s.Attempt, "read twice, it is one attempt")
}

func TestAReviewGrowsLate(t *testing.T) {
	s := begun()
	s.applyDecision(activities.Decision{Status: didit.StatusInReview}, noon)
	require.False(t, s.reviewLate(noon.Add(72*time.Hour-time.Second)))
	require.True(t, s.reviewLate(noon.Add(72*time.Hour)))
	s.applyDecision(activities.Decision{Status: didit.StatusResubmitted}, noon.Add(80*time.Hour))
	require.False(t, s.reviewLate(noon.Add(200*time.Hour)), "it is the person's turn")
}

// lagging reads the decision whenever it is due, and returns the pauses between the reads.
func lagging(s *sessionState, decision didit.Status) (pauses []time.Duration) {
	now := noon
	for s.needsRead || !s.lag.next.IsZero() {
		if !s.needsRead {
			pauses = append(pauses, s.lag.next.Sub(now))
			now = s.lag.next
		}
		s.applyDecision(activities.Decision{Status: decision}, now)
	}
	return pauses
}

func TestADecisionThatLagsItsEventIsReadAgain(t *testing.T) {
	ladder := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second}
	old := event("e1", -int64(freshFor/time.Second), didit.StatusApproved)
	for name, tc := range map[string]struct {
		row      string
		events   []kyc.DiditEvent
		decision didit.Status
		want     []time.Duration
	}{
		"approved, and not seen yet":        {"heard: In Progress", []kyc.DiditEvent{event("e1", 2, didit.StatusApproved)}, didit.StatusInProgress, ladder},
		"approved, and seen":                {"heard: In Progress", []kyc.DiditEvent{event("e1", 2, didit.StatusApproved)}, didit.StatusApproved, nil},
		"approved two minutes ago":          {"read: In Review", []kyc.DiditEvent{old}, didit.StatusInReview, nil},
		"under way again":                   {"read: In Review", []kyc.DiditEvent{event("e1", 0, didit.StatusInProgress)}, didit.StatusInReview, nil},
		"under way again, after a verdict":  {"read: Approved", []kyc.DiditEvent{event("e1", 0, didit.StatusInProgress)}, didit.StatusApproved, ladder},
		"a later event says what Didit did": {"heard: In Progress", []kyc.DiditEvent{event("e1", 2, didit.StatusInReview), event("e2", 3, didit.StatusApproved)}, didit.StatusApproved, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := shows(t, tc.row)
			for _, ev := range tc.events {
				s.apply(ev, noon)
			}
			require.Equal(t, tc.want, lagging(&s, tc.decision))
		})
	}
}

// The decision may be ahead of the first of two events. The second one says that nothing is missing.
func TestAnEventThatConfirmsTheDecisionEndsTheLag(t *testing.T) {
	s := shows(t, "heard: In Progress")
	s.apply(event("e1", 2, didit.StatusInReview), noon)
	s.applyDecision(activities.Decision{Status: didit.StatusApproved}, noon)
	require.False(t, s.lag.next.IsZero())
	s.apply(event("e2", 3, didit.StatusApproved), noon)
	require.Empty(t, lagging(&s, didit.StatusApproved))
}
