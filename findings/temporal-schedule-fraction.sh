#!/bin/sh
# Temporal server v1.32.1 accepts a schedule every 1.5 seconds, describes it as 1.5 seconds and runs
# it every second: the calculation drops the fraction. Half a second is refused as too small.
. "$(dirname "$0")/common"

go_get_server
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/server/temporaltest"
)

func main() {
	server := temporaltest.NewServer()
	defer server.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, every := range []time.Duration{1500 * time.Millisecond, 500 * time.Millisecond} {
		if err := report(ctx, server.GetDefaultClient().ScheduleClient(), every); err != nil {
			fmt.Printf("%s: %v\n", every, err)
		}
	}
}

func report(ctx context.Context, schedules client.ScheduleClient, every time.Duration) error {
	handle, err := schedules.Create(ctx, client.ScheduleOptions{
		ID: every.String(), Paused: true,
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
		Action: &client.ScheduleWorkflowAction{Workflow: "None", TaskQueue: "none"},
	})
	if err != nil {
		return err
	}
	description, err := handle.Describe(ctx)
	if err != nil {
		return err
	}
	next := description.Info.NextActionTimes
	fmt.Printf("%s: described as %s, next runs %s apart\n", every,
		description.Schedule.Spec.Intervals[0].Every, next[9].Sub(next[0])/9)
	return nil
}
GO

expect "$(go run . 2>/dev/null)" "1.5s: described as 1.5s, next runs 1s apart
500ms: Invalid schedule spec: interval is too small"
