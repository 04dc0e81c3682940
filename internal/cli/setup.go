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

Where this client may not register search attributes, as on Temporal Cloud, it prints
the commands for a person who may, and checks the result when it runs again.`

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
	if err := t.setupAttributes(ctx, v); err != nil {
		return err
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

// setupAttributes registers the search attributes that are missing, or prints what a person who may do it has to run.
func (t *tool) setupAttributes(ctx context.Context, v verifications) error {
	if v.OnCloud() {
		return t.checkCloud(ctx, v)
	}
	found, err := v.Setup(ctx)
	if ops.Denied(err) && len(found) > 0 {
		t.printAttributes(found, "missing")
		fmt.Fprint(t.stdout, operatorSteps(v.Namespace(), found))
	}
	if err != nil {
		return err
	}
	t.printAttributes(found, "registered now")
	if slices.ContainsFunc(found, ops.SearchAttribute.Missing) {
		return t.untilVisible(ctx, v)
	}
	return nil
}

// checkCloud compares the namespace with what verifications need, because at Temporal Cloud no client may change it.
func (t *tool) checkCloud(ctx context.Context, v verifications) error {
	found, err := v.SearchAttributes(ctx)
	if err != nil {
		return err
	}
	if err := ops.CheckTypes(found, v.Namespace()); err != nil {
		return err
	}
	kept, err := v.Retention(ctx)
	if err != nil {
		return err
	}
	t.printAttributes(found, "missing")
	fmt.Fprintf(t.stdout, "closed verifications are kept for %.0f days\n", kept.Hours()/24)
	fmt.Fprint(t.stdout, cloudSteps(v.Namespace(), found, kept))
	if slices.ContainsFunc(found, ops.SearchAttribute.Missing) {
		return ofKind(failedTemporal, fmt.Errorf("namespace %s lacks search attributes, without which no worker starts: "+
			"see the commands above", v.Namespace()))
	}
	return nil
}

func (t *tool) printAttributes(found []ops.SearchAttribute, missing string) {
	for _, a := range found {
		note := "already there"
		if a.Missing() {
			note = missing
		}
		fmt.Fprintf(t.stdout, "%s %s %s\n", a.Name, a.Type, note)
	}
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
