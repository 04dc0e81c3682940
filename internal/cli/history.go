package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"didit-temporal/kyc"
)

func (t *tool) history(ctx context.Context, userID, output string, timeout time.Duration) error {
	if err := errors.Join(check(kyc.Input{UserID: userID}), checkTimeout(timeout)); err != nil {
		return err
	}
	v, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	story, err := v.Story(timed, userID)
	switch {
	case errors.Is(err, kyc.ErrNotFound):
		return unknownUser(userID, v.Namespace())
	case err != nil && ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	return t.printStory(output, story)
}

func (t *tool) printStory(output string, story []kyc.Step) error {
	if output == jsonOut {
		for _, s := range story {
			if err := writeJSON(t.stdout, s); err != nil {
				return err
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "time\twhat\tstatus\tby\tworkflow\tmore")
	for _, s := range story {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", timestamp(s.Time), s.What, dash(statusOf(s)), dash(by(s)), s.WorkflowID, dash(s.Note))
	}
	return tw.Flush()
}

func statusOf(s kyc.Step) string {
	if s.Outcome != "" {
		return strings.TrimSpace(fmt.Sprintf("%s (%s)", s.Status, s.Outcome))
	}
	return string(s.Status)
}

// by says who and why.
func by(s kyc.Step) string {
	return strings.TrimSpace(s.Actor + " " + s.Reason)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
