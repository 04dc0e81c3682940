package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// outcome is the result of one user of a bulk start, in the word for programs.
type outcome string

const (
	created  outcome = "created" // a new session
	joined   outcome = "joined"  // a session that was there
	decided  outcome = "decided" // a verdict from before
	failed   outcome = "failed"
	cutShort outcome = "cut_short" // under way when the command was interrupted
)

// tally counts the users of a bulk start by outcome.
type tally struct {
	users      int // to be started
	before     int // left out: they have a result from before
	duplicates int
	by         map[outcome]int
	stopped    error // why not all were started, though it was not interrupted
}

func (t *tally) add(r result) outcome {
	f := joined
	switch {
	case errors.Is(r.err, errInterrupted):
		f = cutShort
	case r.err != nil:
		f = failed
	case r.started.New:
		f = created
	case decidedBefore(r.started):
		f = decided
	}
	t.by[f]++
	return f
}

func (t *tally) notStarted() int {
	n := t.users
	for _, count := range t.by {
		n -= count
	}
	return n
}

func (t *tally) interrupted() bool { return t.by[cutShort] > 0 || t.notStarted() > 0 }

// summary is the last line of output.
func (t *tally) summary(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d users: %d with a session (%d new, %d joined), %d decided before, %d failed",
		t.users, t.by[created]+t.by[joined], t.by[created], t.by[joined], t.by[decided], t.by[failed])
	if t.interrupted() {
		fmt.Fprintf(&b, ", %d cut short, %d not started", t.by[cutShort], t.notStarted())
	}
	if t.before > 0 {
		fmt.Fprintf(&b, ", results from before: %d", t.before)
	}
	if t.duplicates > 0 {
		fmt.Fprintf(&b, ", duplicates left out: %d", t.duplicates)
	}
	fmt.Fprintf(&b, ", in %s", took.Round(100*time.Millisecond))
	return b.String()
}

// verdict is the error that makes the exit code, and says what to do.
func (t *tally) verdict() error {
	switch {
	case t.stopped != nil:
		return t.stopped
	case t.interrupted():
		return fmt.Errorf("%w; it is safe to run the same command again: what was cut short goes on, and no user is started twice", errInterrupted)
	case t.by[failed] > 0:
		return ofKind(failedPartly, fmt.Errorf("%d of %d users failed; it is safe to run the same command again", t.by[failed], t.users))
	}
	return nil
}

// userJSON is the outcome of one user of a bulk start, for programs. The URL is a secret, and in the file of results.
type userJSON struct {
	UserID    string  `json:"user_id"`
	Became    outcome `json:"became"`
	SessionID string  `json:"session_id,omitempty"`
	Status    string  `json:"status,omitempty"`
	Error     string  `json:"error,omitempty"`
	ErrorType string  `json:"error_type,omitempty"`
}

func newUserJSON(r result, became outcome) userJSON {
	out := userJSON{UserID: r.userID, Became: became}
	if r.err != nil {
		out.Error, out.ErrorType = r.reason(), sessionErrorType(r.err)
		return out
	}
	out.SessionID, out.Status = sessionID(r.started), string(r.started.State.Status)
	return out
}

// summaryJSON is the last line of a bulk start.
type summaryJSON struct {
	Users      int     `json:"users"` // to be started now
	Created    int     `json:"created"`
	Joined     int     `json:"joined"`
	Decided    int     `json:"decided"`
	Failed     int     `json:"failed"`
	CutShort   int     `json:"cut_short"`
	NotStarted int     `json:"not_started"`
	Before     int     `json:"before"` // had a result from before
	Duplicates int     `json:"duplicates"`
	Seconds    float64 `json:"seconds"`
}

func (t *tool) printSummary(output string, sum tally, took time.Duration) error {
	if output != jsonOut {
		fmt.Fprintln(t.stdout, sum.summary(took))
		return nil
	}
	return writeJSON(t.stdout, map[string]summaryJSON{"summary": {
		Users: sum.users, Created: sum.by[created], Joined: sum.by[joined], Decided: sum.by[decided], Failed: sum.by[failed],
		CutShort: sum.by[cutShort], NotStarted: sum.notStarted(), Before: sum.before, Duplicates: sum.duplicates, Seconds: took.Seconds(),
	}})
}
