package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
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
	for _, step := range []func(context.Context, verifications) error{t.setupAttributes, t.setupSweep, t.printLimits} {
		if err := step(ctx, v); err != nil {
			return err
		}
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

// printLimits prints the limits of the queues and who set them.
func (t *tool) printLimits(ctx context.Context, v verifications) error {
	tw := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "queue\tcalls a second\ta minute\tset by\tsince\twhy")
	for _, queue := range ops.LimitedQueues() {
		l, err := v.QueueLimit(ctx, queue)
		if err != nil {
			return err
		}
		fmt.Fprintln(tw, limitRow(l))
	}
	return tw.Flush()
}

func limitRow(l ops.QueueLimit) string {
	switch l.Source {
	case ops.LimitNone:
		return l.Queue + "\t-\t-\tnot set yet: the first worker does\t-\t-"
	case ops.LimitFromWorkers:
		return fmt.Sprintf("%s\t%.2f\t%.0f\tthe workers that poll\t-\t-", l.Queue, l.PerSecond, 60*l.PerSecond)
	}
	who, since, why := cmp.Or(l.SetBy, "an unknown identity"), timestamp(l.Since), l.Reason
	if l.ByOperator() {
		who += " (an operator: workers leave it alone)"
	}
	if l.Paused() {
		return fmt.Sprintf("%s\tpaused\t0\t%s\t%s\t%s", l.Queue, who, since, why)
	}
	return fmt.Sprintf("%s\t%.2f\t%.0f\t%s\t%s\t%s", l.Queue, l.PerSecond, 60*l.PerSecond, who, since, why)
}

// cloudSteps are what an administrator of a namespace at Temporal Cloud runs so that it has what verifications need; empty if
// nothing is left to do.
func cloudSteps(namespace string, found []ops.SearchAttribute, kept time.Duration) string {
	var b, missing strings.Builder
	for _, a := range found {
		if a.Missing() {
			fmt.Fprintf(&missing, " \\\n    --search-attribute %q", a.Name+"="+a.Type.String())
		}
	}
	if missing.Len() > 0 {
		fmt.Fprintf(&b, "  tcld namespace search-attributes add --namespace %s%s\n", namespace, missing.String())
	}
	if kept < ops.WantedRetention {
		fmt.Fprintf(&b, "  %s\n", ops.RetentionCommand(namespace))
	}
	if b.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("This is Temporal Cloud, where no client changes a namespace. An administrator of %s runs, after `tcld login`:\n%s"+
		"or adds the same in the Web UI: https://cloud.temporal.io/namespaces, %s, Edit. Then run `starter setup` again.\n",
		namespace, b.String(), namespace)
}

// operatorSteps are what an administrator of a Temporal of one's own runs.
func operatorSteps(namespace string, found []ops.SearchAttribute) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This client may not register search attributes. An administrator of namespace %s runs:\n"+
		"  temporal operator search-attribute create --namespace %s", namespace, namespace)
	for _, a := range found {
		if a.Missing() {
			fmt.Fprintf(&b, " \\\n    --name %s --type %s", a.Name, a.Type)
		}
	}
	b.WriteString("\nThen run `starter setup` again.\n")
	return b.String()
}
