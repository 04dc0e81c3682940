// Package testbed is a whole system for a benchmark: Temporal in a child process, a simulated Didit with its limits in
// this one, and our programs as processes. It is torn down by Close, and by the kernel if this process dies.
package testbed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/port"
	"didit-temporal/dev/postgres"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
)

// Temporal is a server of its own, with as many tenants as are asked for.
type Temporal struct {
	*tserver.Server
	Database *postgres.Server // nil: SQLite

	// Pprof and Metrics are addresses of the server; empty without -profile.
	Pprof, Metrics string

	env     *run.Env
	dir     string
	o       TemporalOptions
	closers []func()
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
	o.Partitions = max(o.Partitions, 1)
	t := &Temporal{env: env, dir: dir, o: o, closers: []func(){remove}}
	if err := t.start(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (s *Temporal) start(ctx context.Context) (err error) {
	so := tserver.Options{Partitions: s.o.Partitions, CachedAttributes: true}
	if s.o.Lasting {
		so.DBFile = filepath.Join(s.dir, "temporal.db")
	}
	var settings []string
	if s.env.Profile != "" {
		pprof, err1 := port.Free()
		metrics, err2 := port.Free()
		if err := cmp.Or(err1, err2); err != nil {
			return err
		}
		s.Pprof, s.Metrics, so.Pprof, so.Metrics = pprof, metrics, pprof, metrics
		settings = []string{"-c", "shared_preload_libraries=pg_stat_statements"}
	}
	if s.o.Postgres {
		if s.Database, err = postgres.Start(ctx, settings...); err != nil {
			return err
		}
		so.Postgres = s.Database.Address
		s.closers = append(s.closers, s.Database.Close)
	}
	if s.Server, err = tserver.Start(ctx, so); err == nil {
		s.closers = append(s.closers, func() { _ = s.Kill() })
	}
	return err
}

// Close kills all there is.
func (s *Temporal) Close() {
	for _, end := range slices.Backward(s.closers) {
		end()
	}
}

// namespace makes one.
func (s *Temporal) namespace(ctx context.Context, name string) error {
	c, err := client.NewNamespaceClient(client.Options{HostPort: s.Address})
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(72 * time.Hour),
	})
	if err != nil && !errors.As(err, new(*serviceerror.NamespaceAlreadyExists)) {
		return fmt.Errorf("make namespace %s: %w", name, err)
	}
	return nil
}

// Supervise starts a program of a folder, as procs does, in a namespace.
func (s *Temporal) Supervise(folder, name, namespace string, args []string, env ...string) *procs.Program {
	p := procs.Supervise(filepath.Join(folder, name), args, s.dir, append(env, "TEMPORAL_ADDRESS="+s.Address, "TEMPORAL_NAMESPACE="+namespace)...)
	s.closers = append(s.closers, p.Stop)
	return p
}

// Working waits until all programs work.
func Working(ctx context.Context, all ...*procs.Program) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, p := range all {
		if _, err := p.Working(ctx); err != nil {
			return err
		}
	}
	return nil
}

// retry repeats f until it works, or for a minute: parts of a server know a new namespace only after seconds.
func retry(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil || Sleep(ctx, 200*time.Millisecond) != nil {
			return err
		}
	}
}

// Sleep waits for d, or returns the error of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
