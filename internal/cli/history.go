package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"didit-temporal/internal/ops"
)

func (t *tool) history(ctx context.Context, userID, output string, timeout time.Duration) error {
	return t.withUser(ctx, userID, timeout, func(ctx context.Context, v verifications) error {
		timeline, err := v.Timeline(ctx, userID)
		if err != nil {
			return err
		}
		return t.printTimeline(output, timeline)
	})
}

func (t *tool) printTimeline(output string, timeline []ops.Step) error {
	if output == jsonOut {
		for _, s := range timeline {
			if err := writeJSON(t.stdout, s); err != nil {
				return err
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "time\twhat\tstatus\tby\tworkflow\tmore")
	for _, s := range timeline {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", timestamp(s.Time), s.What, cell(statusOf(s)), cell(by(s)), cell(s.WorkflowID), cell(s.Note))
	}
	return tw.Flush()
}

func statusOf(s ops.Step) string {
	if s.Outcome != "" {
		return strings.TrimSpace(fmt.Sprintf("%s (%s)", s.Status, s.Outcome))
	}
	return string(s.Status)
}

// by says who and why.
func by(s ops.Step) string {
	return strings.TrimSpace(s.Actor + " " + s.Reason)
}
