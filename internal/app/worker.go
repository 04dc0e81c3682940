// Package app wires the processes together. It is the only package that may import all others.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/interceptor"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// stopTimeout bounds how long a stopping worker waits for calls to Didit in flight.
const stopTimeout = 15 * time.Second

// cachedWorkflows is how many workflows a worker keeps in memory, at some 80 KB each. A verification waits for days for
// three events, and replaying its history takes milliseconds. The SDK's default of 10,000 needs most of a gigabyte.
const cachedWorkflows = 1500

// RunWorker runs workflows and activities until ctx ends, then lets running activities finish. It refuses to start
// where `starter setup` was not run: no verification would make progress.
func RunWorker(ctx context.Context, c *kyc.Client, cfg config.Worker, log *slog.Logger, given ...*Telemetry) error {
	telemetry := telemetryOf(given)
	if err := ops.New(c).CheckSetup(ctx); err != nil {
		if ctx.Err() != nil { // stopped before it started
			return nil
		}
		return err
	}
	acts, err := newActivities(c, cfg, telemetry)
	if err != nil {
		return err
	}
	notePayloadKeys(cfg.PayloadKeys, log)
	limitQueues(ctx, c, cfg, log)
	sdkworker.SetStickyWorkflowCacheSize(cachedWorkflows)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	workers := newWorkers(c, cfg, acts, fail)
	for i, w := range workers {
		if err := w.Start(); err != nil {
			stopAll(workers[:i])
			return fmt.Errorf("start worker: %w", err)
		}
	}
	telemetry.metrics.OfWorker(c.Namespace())
	telemetry.metrics.Publish(cfg.Published(c.Namespace()).Labels())
	telemetry.metrics.Sample(ctx, ops.New(c), log)
	log.Info("worker runs", "namespace", c.Namespace(), "didit", cfg.DiditBaseURL, "environment", cfg.Environment)
	ready := telemetry.becomesReady(c.Ready)
	<-ctx.Done()
	ready.stopping.Store(true)
	stopAll(workers)
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("worker stopped: %w", err)
	}
	log.Info("worker has stopped")
	return nil
}

func newActivities(c *kyc.Client, cfg config.Worker, telemetry *Telemetry) (*activities.Activities, error) {
	api, err := didit.NewClient(didit.ClientOptions{BaseURL: cfg.DiditBaseURL, APIKey: cfg.DiditAPIKey.Reveal(), Wrap: telemetry.toDidit})
	if err != nil {
		return nil, err
	}
	callbacks, err := newCallbackSender(cfg, telemetry)
	if err != nil {
		return nil, err
	}
	all := ops.New(c)
	return &activities.Activities{Didit: api, Deliveries: api, Runs: all, Operations: all, Erasures: all, Callbacks: callbacks, Spread: rand.Float64, Settings: activities.Settings{
		WorkflowID: cfg.DiditWorkflowID, Deployment: cmp.Or(cfg.Deployment, c.Namespace()), Environment: didit.Environment(cfg.Environment), SessionDeadline: cfg.SessionDeadline,
		ReconcileAfter: cfg.ReconcileAfter, SessionCap: cfg.SessionCap,
	}}, nil
}

// newCallbackSender is nil where there is no callback endpoint.
func newCallbackSender(cfg config.Worker, telemetry *Telemetry) (*activities.CallbackSender, error) {
	if cfg.ResultURL.Reveal() == "" {
		return nil, nil //nolint:nilnil // there is no callback endpoint
	}
	r, err := activities.NewCallbackSender(cfg.ResultURL.Reveal(), config.RevealAll(cfg.ResultSecrets))
	if err == nil {
		r.Around(telemetry.toCallbackEndpoint)
	}
	return r, err
}

// newWorkers makes one worker per task queue. It calls onFatal with an error that ends one of them.
func newWorkers(c *kyc.Client, cfg config.Worker, acts *activities.Activities, onFatal func(error)) []sdkworker.Worker {
	options := workerOptions(onFatal)
	options.DeploymentOptions = versioned(cfg.Versioning)

	// Pollers scale with the load: the SDK's fixed default leaves a backlog under a burst of starts or of results.
	decide, scaling := options, sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{})
	decide.WorkflowTaskPollerBehavior, decide.ActivityTaskPollerBehavior = scaling, scaling
	w := sdkworker.New(c.Temporal(), kyc.TaskQueue, decide)
	w.RegisterWorkflowWithOptions(workflows.Verification, workflow.RegisterOptions{Name: kyc.WorkflowVerification})
	w.RegisterWorkflowWithOptions(workflows.Operation, workflow.RegisterOptions{Name: kyc.WorkflowOperation})
	w.RegisterWorkflowWithOptions(workflows.Sweep, workflow.RegisterOptions{Name: kyc.WorkflowSweep})
	register(w, acts.FindPredecessor, acts.SendResult, acts.BeginOperation, acts.DeliverEvent)
	register(w, acts.EndVerification, acts.ForgetRuns, acts.ForgetIfErased)

	writes, reads := cfg.Shares()
	write := sdkworker.New(c.Temporal(), kyc.TaskQueueDiditWrite, limited(options, writes, cfg.QueuePartitions))
	register(write, acts.CreateSession, acts.SetStatus, acts.DeleteSession, acts.EraseSession, acts.EraseUser)

	read := sdkworker.New(c.Temporal(), kyc.TaskQueueDiditRead, limited(options, reads, cfg.QueuePartitions))
	register(read, acts.ReadDecision, acts.ListSessions, acts.FindReview, acts.ListAllSessions)
	register(read, acts.ListDestinations, acts.FindLost, acts.HandOn)
	return []sdkworker.Worker{w, write, read}
}

// workerOptions are common to all queues. HidePanics is the outermost interceptor but for tracing, which comes with the
// client.
func workerOptions(onFatal func(error)) sdkworker.Options {
	return sdkworker.Options{
		WorkerStopTimeout: stopTimeout, OnFatalError: onFatal, Interceptors: []interceptor.WorkerInterceptor{activities.HidePanics()},
	}
}

// versioned is empty where versioning is off: then the worker writes the histories that it always wrote.
func versioned(v config.Versioning) sdkworker.DeploymentOptions {
	if !v.On() {
		return sdkworker.DeploymentOptions{}
	}
	behavior := workflow.VersioningBehaviorAutoUpgrade
	if v.Behavior == config.Pinned {
		behavior = workflow.VersioningBehaviorPinned
	}
	return sdkworker.DeploymentOptions{
		UseVersioning: true, DefaultVersioningBehavior: behavior,
		Version: sdkworker.WorkerDeploymentVersion{DeploymentName: v.Deployment, BuildID: v.BuildID},
	}
}

// register registers activities by the names of their methods, which is how workflows call them.
func register(w sdkworker.Worker, methods ...any) {
	for _, m := range methods {
		w.RegisterActivity(m)
	}
}

func stopAll(workers []sdkworker.Worker) {
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(w.Stop)
	}
	all.Wait()
}
