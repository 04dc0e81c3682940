package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const checkSweeps = "sweeps of lost webhooks"

// sweepAge is how long ago the last sweep may have started: some may be skipped, while one waits for Didit.
const sweepAge = 4 * ops.SweepInterval

// sweeps checks the schedule that finds undelivered webhooks.
func (e *checker) sweeps(ctx context.Context, c *ops.Client) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s, err := c.Sweeps(ctx)
	switch {
	case errors.Is(err, kyc.ErrNotFound):
		e.fail(checkSweeps, "there is no schedule: a change after the verdict whose webhook is lost stays unknown", "run `starter setup`")
	case err != nil:
		e.fail(checkSweeps, err.Error(), howToReach(err))
	default:
		e.add(judgeSweeps(s, e.Now()))
	}
}

func judgeSweeps(s ops.Sweeps, now time.Time) Finding {
	f := Finding{Check: checkSweeps, Status: Warning}
	age := now.Sub(cmp.Or(s.Last, s.Since)).Round(time.Second)
	switch {
	case s.Paused:
		f.Found, f.Fix = "paused: "+cmp.Or(s.Note, "without a note"), "when the reason is gone: `temporal schedule toggle --unpause --schedule-id "+ops.SweepID+"`"
	case age > sweepAge:
		f.Status = Failed
		f.Found, f.Fix = fmt.Sprintf("the last one started %s ago", age), "open the workflow "+ops.SweepID+" in the Web UI: its pending activity shows what it waits for"
	case s.Result.State == kyc.SweepUnreadable:
		f.Found = "Didit shows this key no deliveries (" + s.Result.ErrorType + ")"
		f.Fix = "give the key webhooks:read and decisions:read, and limit it to no flow"
	case s.Last.IsZero():
		f.Status, f.Found = OK, "the first one has not started yet"
	default:
		f.Status, f.Found = OK, fmt.Sprintf("the last one started %s ago", age)
	}
	return f
}
