// Command peer is the worker of the bare workflow that benchmarks compare with, in a process of its own as ours is.
package main

import (
	"fmt"
	"os"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/dev/bench/bare"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// run polls as ours does. The queue of activities has all the partitions that the server gives it, so more polls.
func run() error {
	c, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Namespace: os.Getenv("TEMPORAL_NAMESPACE")})
	if err != nil {
		return err
	}
	defer c.Close()
	scaling := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})
	decide := worker.New(c, bare.TaskQueue, worker.Options{WorkflowTaskPollerBehavior: scaling, ActivityTaskPollerBehavior: scaling})
	decide.RegisterWorkflowWithOptions(bare.Run, workflow.RegisterOptions{Name: bare.Workflow})
	decide.RegisterActivity(bare.Nothing)
	act := worker.New(c, bare.First, worker.Options{DisableWorkflowWorker: true, MaxConcurrentActivityTaskPollers: 8})
	act.RegisterActivity(bare.Nothing)
	if err := act.Start(); err != nil {
		return err
	}
	defer act.Stop()
	fmt.Println("peer runs")
	return decide.Run(worker.InterruptCh())
}
