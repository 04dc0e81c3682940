package cli

import (
	"fmt"
	"time"
)

// userJSON is the outcome of one user of a bulk start, for programs. The URL is a secret, and in the file of results.
type userJSON struct {
	UserID    string `json:"user_id"`
	Became    string `json:"became"` // created, joined, decided or failed
	SessionID string `json:"session_id,omitempty"`
	Status    string `json:"status,omitempty"`
	Error     string `json:"error,omitempty"`
	ErrorType string `json:"error_type,omitempty"`
}

func newUserJSON(r result, became outcome) userJSON {
	out := userJSON{UserID: r.userID, Became: became.String()}
	if r.err != nil {
		out.Error, out.ErrorType = r.reason(), r.errorType()
		return out
	}
	out.SessionID, out.Status = sessionID(r.started), string(r.started.State.Status)
	return out
}

// String is the word for programs.
func (f outcome) String() string {
	return [...]string{created: "created", joined: "joined", decided: "decided", failed: "failed", cutShort: "cut_short"}[f]
}

// summaryJSON is the last line of a bulk start.
type summaryJSON struct {
	Summary struct {
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
	} `json:"summary"`
}

func (t *tool) printSummary(output string, sum tally, took time.Duration) error {
	if output != jsonOut {
		fmt.Fprintln(t.stdout, sum.summary(took))
		return nil
	}
	var out summaryJSON
	s := &out.Summary
	s.Users, s.Created, s.Joined, s.Decided, s.Failed = sum.users, sum.by[created], sum.by[joined], sum.by[decided], sum.by[failed]
	s.CutShort, s.NotStarted, s.Before, s.Duplicates = sum.by[cutShort], sum.notStarted(), sum.before, sum.duplicates
	s.Seconds = took.Seconds()
	return writeJSON(t.stdout, out)
}
