package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const statusLong = `Print the state of a user's newest verification: Didit's status word for word,
our outcome once there is one, and the result of each check.

While a verification is open its state comes from a worker, so one must be
running.

With --history it prints the user's timeline instead, oldest first: verifications,
Didit's statuses and their times, operator actions with actor, reason and result.
It goes back as far as Temporal's retention, and needs no worker. With -o json
each step is one line.`

const statusExample = `  starter status --user u1
  starter status --user u1 -o json | jq -r .outcome
  starter status --user u1 --history
  starter status --user u1 --history -o json | jq -r .actor`

func (t *tool) statusCommand() *cobra.Command {
	var userID string
	var history bool
	output, timeout := newOutput(), time.Duration(0)
	cmd := &cobra.Command{
		Use:     "status --user USER",
		Short:   "Show the state of a user's verification",
		Long:    statusLong,
		Example: statusExample,
		RunE: func(cmd *cobra.Command, _ []string) error {
			show := t.status
			if history {
				show = t.history
			}
			return show(cmd.Context(), userID, output.value, timeout)
		},
	}
	cmd.Flags().StringVarP(&userID, "user", "u", "", "your id of the user (required)")
	cmd.Flags().BoolVar(&history, "history", false, "print the timeline, with operator actions")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how long to wait for the answer")
	output.add(cmd, "output", "o", "how to print")
	required(cmd, "user")
	return cmd
}

func (t *tool) status(ctx context.Context, userID, output string, timeout time.Duration) error {
	return t.withUser(ctx, userID, timeout, func(ctx context.Context, v verifications) error {
		state, err := v.State(ctx, userID)
		if err != nil && kyc.Cause(err) == "" { // then this is most likely
			err = fmt.Errorf("%w\nif the verification is open a worker must answer: is one running?", err)
		}
		if err != nil {
			return err
		}
		return t.printState(output, userID, state)
	})
}

// withUser connects and calls ask, with the timeout of the flags.
func (t *tool) withUser(ctx context.Context, userID string, timeout time.Duration, ask func(context.Context, verifications) error) error {
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
	err = ask(timed, v)
	switch {
	case err == nil, errors.As(err, new(*ops.OperationError)), errors.Is(err, errInterrupted):
		return err
	case errors.Is(err, kyc.ErrNotFound):
		return unknownUser(userID, v.Namespace())
	case ctx.Err() != nil:
		return errInterrupted
	}
	return err
}

func unknownUser(userID, namespace string) error {
	return ofKind(failedNotFound, fmt.Errorf("user %s has no verification in namespace %s, or it ended longer ago than Temporal keeps it; "+
		"`starter start --user %s` starts one", userID, namespace, userID))
}

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
