package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// waitReady returns when the namespace is served: an open port says less.
func waitReady(ctx context.Context, addr string, o *Options) error {
	c, err := client.NewLazyClient(client.Options{
		HostPort: addr, Namespace: namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	if o.Postgres != "" {
		if err := poll(ctx, func() error { return makeNamespace(ctx, c) }); err != nil {
			return fmt.Errorf("namespace %s cannot be made: %w", namespace, err)
		}
	}
	err = poll(ctx, func() error {
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		return err
	})
	if err != nil {
		return fmt.Errorf("namespace %s does not answer: %w", namespace, err)
	}
	return nil
}

func poll(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
