// Package audit compares, after a load, what Didit knows with what Temporal knows: nothing may be lost, nothing paid twice.
package audit

import (
	"context"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// Person is a user and the verdict that Didit came to.
type Person struct {
	ID      string
	Verdict didit.Status
}

// Auditor is where it looks.
type Auditor struct {
	Client  *kyc.Client
	Sim     *diditsim.Server
	Creates *Creates
	Closed  func() // called for each verification that has ended; nil: no call
}

// Run waits until everything has ended and compares.
func (a Auditor) Run(ctx context.Context, persons []Person) *Report {
	r := &Report{Users: len(persons), FailedTasks: map[string]int{}}
	states := make([]kyc.State, len(persons))
	each(len(persons), func(i int) {
		state, err := Retry(ctx, func(ctx context.Context) (kyc.State, error) { return a.Client.Wait(ctx, persons[i].ID) })
		if err == nil && a.Closed != nil {
			a.Closed()
		}
		states[i] = state
	})
	if err := a.Sim.Wait(ctx); err != nil {
		r.note("webhooks are still on their way: %v", err)
	}
	if err := a.quiet(ctx); err != nil {
		r.note("late updates are not done with: %v", err)
	}
	events := r.countDeliveries(a.Sim.Deliveries())
	r.Sessions = len(a.Sim.Sessions())
	books := make([]book, len(persons))
	each(len(persons), func(i int) { books[i] = a.read(ctx, persons[i].ID) })
	for i, p := range persons {
		r.judge(a, p, states[i], books[i], events)
	}
	return r
}

// Retry calls f until it succeeds, as a caller does whom a crash of the other side must not stop.
func Retry[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	for {
		attempt, cancel := context.WithTimeout(ctx, 15*time.Second)
		v, err := f(attempt)
		cancel()
		if err == nil {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// quiet waits until no workflow runs.
func (a Auditor) quiet(ctx context.Context) error {
	for {
		res, err := a.Client.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: a.Client.Namespace(), Query: `ExecutionStatus = "Running"`,
		})
		if err == nil && res.GetCount() == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// each calls f for 0 to n-1, some at a time.
func each(n int, f func(int)) {
	var all errgroup.Group
	all.SetLimit(32)
	for i := range n {
		all.Go(func() error { f(i); return nil })
	}
	_ = all.Wait() // no call fails
}
