package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// waitReady returns when the namespace is served (an open port says less) and has its search attributes.
func waitReady(ctx context.Context, addr string, o *Options) error {
	c, err := client.NewLazyClient(client.Options{
		HostPort:  addr,
		Namespace: o.Namespace,
		Logger:    log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	if o.Postgres != "" {
		if err := poll(ctx, func() error { return makeNamespace(ctx, c, o) }); err != nil {
			return fmt.Errorf("namespace %s cannot be made: %w", o.Namespace, err)
		}
	}
	err = poll(ctx, func() error {
		_, err := c.WorkflowService().DescribeNamespace(ctx,
			&workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
		return err
	})
	if err != nil {
		return fmt.Errorf("namespace %s does not answer: %w", o.Namespace, err)
	}
	if len(o.SearchAttributes) == 0 {
		return nil
	}
	if err := poll(ctx, func() error { return addSearchAttributes(ctx, c, o) }); err != nil {
		return fmt.Errorf("search attributes: %w", err)
	}
	return nil
}

// addSearchAttributes adds what is missing: a database file has those of its last run.
func addSearchAttributes(ctx context.Context, c client.Client, o *Options) error {
	have, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: o.Namespace})
	if err != nil {
		return err
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, want := range o.SearchAttributes {
		got, ok := have.GetCustomAttributes()[name]
		if ok && got != want {
			return final{fmt.Errorf("%s is of type %v, want %v", name, got, want)}
		}
		if !ok {
			missing[name] = want
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx,
		&operatorservice.AddSearchAttributesRequest{Namespace: o.Namespace, SearchAttributes: missing})
	return err
}

// final marks an error that waiting does not cure.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// poll tries until it works, fails finally, or time is up; then it gives both reasons.
func poll(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || errors.As(err, new(final)) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
