package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"didit-temporal/kyc"
)

// stateJSON is kyc.State for programs: lists are never null, and a time that is not known is left out.
type stateJSON struct {
	kyc.State
	Checks    []kyc.Check `json:"checks"`
	Warnings  []string    `json:"warnings"`
	UpdatedAt time.Time   `json:"updated_at,omitzero"`
}

func newStateJSON(userID string, s kyc.State) stateJSON {
	s.UserID = userID
	return stateJSON{
		State: s, UpdatedAt: s.UpdatedAt,
		Checks: append([]kyc.Check{}, s.Checks...), Warnings: append([]string{}, s.Warnings...),
	}
}

// startedJSON adds what start knows beyond the state. The URL is empty for a user who was decided before.
type startedJSON struct {
	stateJSON
	URL   string `json:"url"`
	RunID string `json:"run_id"`
	New   bool   `json:"new"`
}

func (t *tool) printStarted(output, userID string, s kyc.Started) error {
	if output == jsonOut {
		return writeJSON(t.stdout, startedJSON{newStateJSON(userID, s.State), s.Session.URL, s.RunID, s.New})
	}
	rows := [][2]string{{"user", userID}, {"verification", novelty(s)}, {"session", sessionID(s)}, {"status", string(s.State.Status)}}
	if s.State.Outcome != "" {
		rows = append(rows, [2]string{"outcome", string(s.State.Outcome)})
	}
	if !decidedBefore(s) {
		rows = append(rows, [2]string{"url", s.Session.URL})
	}
	return writeTable(t.stdout, append(rows, [2]string{"workflow", kyc.WorkflowID(userID)}, [2]string{"run", s.RunID}))
}

// novelty says what the call to start did.
func novelty(s kyc.Started) string {
	switch {
	case s.New:
		return "new"
	case decidedBefore(s):
		return "decided before (--reverify starts a new one)"
	}
	return "joined, it was open already"
}

func sessionID(s kyc.Started) string {
	if decidedBefore(s) {
		return s.State.SessionID
	}
	return s.Session.SessionID
}

func (t *tool) printState(output, userID string, s kyc.State) error {
	if output == jsonOut {
		return writeJSON(t.stdout, newStateJSON(userID, s))
	}
	checks := make([]string, len(s.Checks))
	for i, c := range s.Checks {
		checks[i] = c.Feature + " " + c.Status
	}
	outcome := string(s.Outcome)
	if outcome == "" {
		outcome = "none yet"
	}
	return writeTable(t.stdout, [][2]string{
		{"user", userID}, {"session", s.SessionID}, {"status", string(s.Status)}, {"outcome", outcome},
		{"attempt", fmt.Sprint(s.Attempt)}, {"checks", strings.Join(checks, ", ")}, {"warnings", strings.Join(s.Warnings, ", ")},
		{"error", explained(s.ErrorType)}, {"updated", timestamp(s.UpdatedAt)}, {"workflow", kyc.WorkflowID(userID)},
	})
}

func explained(errorType string) string {
	if errorType == "" {
		return ""
	}
	return errorType + ": " + kyc.Hint(errorType)
}

func timestamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// writeTable prints one name and value per line, "-" for what is empty.
func writeTable(w io.Writer, rows [][2]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(tw, "%s\t%s\n", r[0], cell(r[1]))
	}
	return tw.Flush()
}

// cell is a value in a table, "-" if it is empty.
func cell(s string) string {
	if s == "" {
		return "-"
	}
	return oneLine(s)
}

// oneLine also keeps what others have sent, such as a status that is unknown here, from steering the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// writeJSON prints one line. URLs stay as they are: a person may copy them from here too.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
