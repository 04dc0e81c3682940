package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// An event meets what the record shows. The first column says how the record learned of it: by webhook, or by reading
// Didit's decision, which is the only way to an end.
//
//	.  nothing changes
//	=  the event's status is shown
//	+  it is shown, and the user begins another attempt
//	?  nothing is shown before Didit's decision has been read
const eventTable = `
                     | Not Started | In Progress | Awaiting User | In Review | Approved | Declined | Resubmitted | Abandoned | Expired | Kyc Expired
heard: Not Started   | .           | =           | =             | =         | ?        | ?        | +           | ?         | ?       | ?
heard: In Progress   | .           | .           | =             | =         | ?        | ?        | +           | ?         | ?       | ?
heard: Awaiting User | .           | =           | .             | =         | ?        | ?        | +           | ?         | ?       | ?
heard: In Review     | .           | =           | =             | .         | ?        | ?        | +           | ?         | ?       | ?
heard: Resubmitted   | .           | =           | =             | =         | ?        | ?        | .           | ?         | ?       | ?
read: Not Started    | .           | ?           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: In Progress    | .           | .           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: Awaiting User  | .           | ?           | .             | ?         | ?        | ?        | ?           | ?         | ?       | ?
read: In Review      | .           | ?           | ?             | .         | ?        | ?        | ?           | ?         | ?       | ?
read: Resubmitted    | .           | ?           | ?             | ?         | ?        | ?        | .           | ?         | ?       | ?
read: Approved       | .           | ?           | ?             | ?         | .        | ?        | ?           | ?         | ?       | ?
read: Declined       | .           | ?           | ?             | ?         | ?        | .        | ?           | ?         | ?       | ?
read: Abandoned      | .           | ?           | ?             | ?         | ?        | ?        | ?           | .         | ?       | ?
read: Expired        | .           | ?           | ?             | ?         | ?        | ?        | ?           | ?         | .       | ?
read: Kyc Expired    | .           | ?           | ?             | ?         | ?        | ?        | ?           | ?         | ?       | .`

// Didit's decision meets what the record shows. It is shown whatever was shown before; the cell is the outcome, "-"
// where somebody has to act, "+" where he has to act once more.
const decisionTable = `
                     | Not Started | In Progress | Awaiting User | In Review | Approved | Declined | Resubmitted | Abandoned | Expired | Kyc Expired
heard: Not Started   | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
heard: In Progress   | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
heard: Awaiting User | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
heard: In Review     | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
heard: Resubmitted   | -           | -           | -             | -         | approved | declined | -           | abandoned | expired | lapsed
read: Not Started    | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: In Progress    | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Awaiting User  | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: In Review      | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Resubmitted    | -           | -           | -             | -         | approved | declined | -           | abandoned | expired | lapsed
read: Approved       | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Declined       | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Abandoned      | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Expired        | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed
read: Kyc Expired    | -           | -           | -             | -         | approved | declined | +           | abandoned | expired | lapsed`

// cells calls f with every cell of a table and the record that its row describes, made anew for each.
func cells(t *testing.T, table string, f func(t *testing.T, before record, column didit.Status, cell string)) {
	t.Helper()
	lines := strings.Split(strings.TrimPrefix(table, "\n"), "\n")
	columns := split(lines[0])[1:]
	require.Len(t, columns, 10)
	require.Len(t, lines, 1+5+10, "waiting statuses are heard or read, ends only read")
	rows := map[string]bool{}
	for _, line := range lines[1:] {
		row := split(line)
		require.Len(t, row, 11, line)
		require.False(t, rows[row[0]], row[0])
		rows[row[0]] = true
		for i, column := range columns {
			require.True(t, didit.Status(column).Known(), column)
			t.Run(row[0]+", then "+column, func(t *testing.T) { f(t, shows(t, row[0]), didit.Status(column), row[i+1]) })
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

func shows(t *testing.T, row string) record {
	t.Helper()
	how, word, _ := strings.Cut(row, ": ")
	status := didit.Status(word)
	require.True(t, status.Known(), row)
	r := begun()
	switch how {
	case "heard":
		r.apply(event("before", 1, status), noon)
	case "read":
		require.True(t, r.settle(activities.Decision{Status: status, Warnings: []string{"W"}}, noon))
	default:
		t.Fatal(row)
	}
	require.Equal(t, status, r.state.Status)
	require.False(t, r.doubt)
	return r
}

func TestEveryEventInEveryStatus(t *testing.T) {
	cells(t, eventTable, func(t *testing.T, r record, status didit.Status, cell string) {
		t.Helper()
		want := r.state
		r.apply(event("now", 2, status), noon)
		switch cell {
		case "+":
			want.Attempt++
			want.Status = status
		case "=":
			want.Status = status
		case ".", "?":
		default:
			t.Fatal(cell)
		}
		require.Equal(t, want, r.state, "an event touches neither outcome nor checks")
		require.Equal(t, cell == "?", r.doubt)
	})
}

func TestEveryDecisionInEveryStatus(t *testing.T) {
	cells(t, decisionTable, func(t *testing.T, before record, status didit.Status, cell string) {
		t.Helper()
		for name, doubt := range map[string]bool{"a look": false, "a doubt": true} {
			r := before
			r.doubt = doubt
			require.True(t, r.settle(activities.Decision{Status: status}, noon), name)
			want := before.state
			want.Status, want.Outcome, want.Warnings = status, kyc.Outcome(cell), []string{}
			switch cell {
			case "+":
				want.Attempt++
				want.Outcome = ""
			case "-":
				want.Outcome = ""
			}
			require.Equal(t, want, r.state, name)
			require.False(t, r.doubt, name)
			require.False(t, r.trouble, name)
		}
	})
}

// The order of two events of one second is unknown, but one resubmission must never be counted twice.
func TestOneResubmissionIsOneAttemptInAnyOrder(t *testing.T) {
	for name, arrival := range map[string][]didit.Status{
		"the review first":       {didit.StatusInReview, didit.StatusResubmitted},
		"the resubmission first": {didit.StatusResubmitted, didit.StatusInReview},
	} {
		t.Run(name, func(t *testing.T) {
			r := begun()
			for _, s := range arrival {
				r.apply(event(string(s), 5, s), noon)
			}
			require.Equal(t, didit.StatusResubmitted, r.state.Status)
			r.settle(activities.Decision{Status: didit.StatusResubmitted}, noon)
			require.Equal(t, 2, r.state.Attempt)
		})
	}
}
