#!/bin/sh
# Temporal server v1.32.1 keeps an open workflow in its history cache, and yet reads the database once
# for each signal that names only the workflow id: it looks up which run is open. A signal that also
# names the run finds the workflow in the cache without a read.
. "$(dirname "$0")/common"

go_get_server
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/metrics/metricstest"
	"go.temporal.io/server/temporal"
	"go.temporal.io/server/temporaltest"
)

const signals = 50

func main() {
	counts := metricstest.NewCaptureHandler()
	server := temporaltest.NewServer(temporaltest.WithBaseServerOptions(temporal.WithCustomMetricsHandler(counts)))
	defer server.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := server.GetDefaultClient()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "open", TaskQueue: "none"}, "None")
	check(err)

	for _, id := range []string{"", run.GetRunID()} {
		seen := counts.StartCapture()
		for range signals {
			check(c.SignalWorkflow(ctx, "open", id, "hello", nil))
		}
		fmt.Printf("with a run id %t: %d signals, %d reads of the open run\n", id != "", signals, reads(seen.Snapshot()))
		counts.StopCapture(seen)
	}
}

func reads(seen metricstest.CaptureSnapshot) (n int) {
	for _, r := range seen["persistence_requests"] {
		if r.Tags["operation"] == "GetCurrentExecution" {
			n++
		}
	}
	return n
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO

expect "$(go run . 2>/dev/null)" "with a run id false: 50 signals, 50 reads of the open run
with a run id true: 50 signals, 0 reads of the open run"
