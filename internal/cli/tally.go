package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// outcome is the result of one user of a bulk start.
type outcome int

const (
	created outcome = iota // a new session
	joined                 // a session that was there
	decided                // a verdict from before
	failed
	cutShort // under way when the command was interrupted
	outcomes // how many there are
)

// tally counts the users of a bulk start by outcome.
type tally struct {
	users      int // to be started
	before     int // left out: they have a result from before
	duplicates int
	by         [outcomes]int
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
