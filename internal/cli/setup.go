package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"didit-temporal/internal/ops"
)

const setupLong = `Register the search attributes of verifications in the Temporal namespace, so
that they can be listed by status, outcome and deadline. Workers refuse to start
while one is missing, so run it again before an update. What is there already is
left alone. It makes the schedule of sweeps too: every 15 minutes they find the
webhooks that Didit could not deliver. It also prints the limits of the task queues
that call Didit, which workers set when they start; docs/operations/limits.md says
how to change or pause them while everything runs.

On Temporal Cloud search attributes are made in the console or with tcld instead;
docs/guides/languages.md has their names and types.`

const (
	setupPolls    = 60 // of setupInterval each
	setupInterval = 500 * time.Millisecond
)

func (t *tool) setupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "setup",
		Short:   "Prepare the Temporal namespace, once and before each update",
		Long:    setupLong,
		Example: "  starter setup\n  TEMPORAL_NAMESPACE=kyc-sandbox starter setup",
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.setup(cmd.Context()) },
	}
	cmd.AddCommand(t.setupDiditCommand())
	return cmd
}

func (t *tool) setup(ctx context.Context) error {
	v, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	found, err := v.Setup(ctx)
	if err != nil {
		return err
	}
	for _, a := range found {
		note := "already there"
		if a.Missing() {
			note = "registered now"
		}
		fmt.Fprintf(t.stdout, "%s %s %s\n", a.Name, a.Type, note)
	}
	if slices.ContainsFunc(found, ops.SearchAttribute.Missing) {
		if err := t.untilVisible(ctx, v); err != nil {
			return err
		}
	}
	if err := t.setupSweep(ctx, v); err != nil {
		return err
	}
	if err := t.printLimits(ctx, v); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "namespace %s is ready for workers\n", v.Namespace())
	return nil
}

// setupSweep makes the schedule of sweeps, and brings one of an older version up to date.
func (t *tool) setupSweep(ctx context.Context, v verifications) error {
	made, err := v.SetupSweep(ctx)
	if err != nil {
		return err
	}
	note := "already there"
	if made {
		note = "made now"
	}
	fmt.Fprintf(t.stdout, "%s schedule, every %s, %s\n", ops.SweepID, ops.SweepInterval, note)
	return nil
}

// untilVisible waits until the server shows the attributes that it has just been given.
func (t *tool) untilVisible(ctx context.Context, v verifications) error {
	for range setupPolls {
		found, err := v.SearchAttributes(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(found, ops.SearchAttribute.Missing) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errInterrupted
		case <-t.after(setupInterval):
		}
	}
	return fmt.Errorf("namespace %s does not show the new search attributes after %s: run `starter setup` again to check",
		v.Namespace(), setupPolls*setupInterval)
}
