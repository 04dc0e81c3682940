// Package testbed is a whole system for a benchmark: Temporal in a child process, a simulated Didit with its limits in
// this one, and our programs as processes. It is torn down by Close, and by the kernel if this process dies.
package testbed

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/postgres"
	"didit-temporal/dev/tserver"
)

// Temporal is a server of its own, with as many tenants as are asked for.
type Temporal struct {
	*tserver.Server

	env        *run.Env
	dir        string
	partitions int
	closers    []func()
}

// TemporalOptions configures NewTemporal.
type TemporalOptions struct {
	Partitions int  // of the limited queues; 0 is 1
	Lasting    bool // its state is in a file, so that it can be killed
	Postgres   bool // its state is in PostgreSQL, or New fails with postgres.ErrNotInstalled
}

// NewTemporal starts a server.
func NewTemporal(ctx context.Context, env *run.Env, o TemporalOptions) (*Temporal, error) {
	dir, remove, err := run.TempDir()
	if err != nil {
		return nil, err
	}
	so := tserver.Options{Partitions: max(o.Partitions, 1)}
	if o.Lasting {
		so.DBFile = filepath.Join(dir, "temporal.db")
	}
	t := &Temporal{env: env, dir: dir, partitions: so.Partitions, closers: []func(){remove}}
	if o.Postgres {
		db, err := postgres.Start(ctx)
		if err != nil {
			t.Close()
			return nil, err
		}
		so.Postgres = db.Address
		t.closers = append(t.closers, db.Close)
	}
	server, err := tserver.Start(ctx, so)
	if err != nil {
		t.Close()
		return nil, err
	}
	t.Server = server
	t.closers = append(t.closers, func() { _ = server.Kill() })
	return t, nil
}

// Close kills all there is.
func (s *Temporal) Close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// namespace makes one, and returns once the server knows it.
func (s *Temporal) namespace(ctx context.Context, name string) error {
	c, err := client.NewNamespaceClient(client.Options{HostPort: s.Address})
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(72 * time.Hour),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("make namespace %s: %w", name, err)
	}
	return nil
}

// retry repeats f until it works, or for a minute: parts of a server know a new namespace only after seconds.
func retry(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
