package cli

import (
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"

	"didit-temporal/internal/ops"
)

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
