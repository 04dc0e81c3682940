#!/bin/sh
# Temporal server v1.32.1 reads one cron line in two ways. "0 12 13 * FRI" as the CronSchedule of a
# workflow means the 13th and every Friday; as the cron expression of a schedule it means Friday the
# 13th. A cron workflow that moves to a schedule loses most of its runs, without an error.
. "$(dirname "$0")/common"

go_get_server
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/temporaltest"
)

const line = "0 12 13 * FRI"

func main() {
	server := temporaltest.NewServer()
	defer server.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := server.GetDefaultClient()
	fmt.Println("cron workflow within 8 days:", time.Until(cronWorkflow(ctx, c)) < 8*24*time.Hour)
	for _, next := range schedule(ctx, c) {
		fmt.Println("schedule:", next.Weekday(), next.Day())
	}
}

func cronWorkflow(ctx context.Context, c client.Client) time.Time {
	options := client.StartWorkflowOptions{ID: "cron", TaskQueue: "none", CronSchedule: line}
	run, err := c.ExecuteWorkflow(ctx, options, "None")
	check(err)
	all := enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
	event, err := c.GetWorkflowHistory(ctx, "cron", run.GetRunID(), false, all).Next()
	check(err)
	wait := event.GetWorkflowExecutionStartedEventAttributes().FirstWorkflowTaskBackoff.AsDuration()
	return event.EventTime.AsTime().Add(wait)
}

func schedule(ctx context.Context, c client.Client) []time.Time {
	handle, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: "schedule", Paused: true, Spec: client.ScheduleSpec{CronExpressions: []string{line}},
		Action: &client.ScheduleWorkflowAction{Workflow: "None", TaskQueue: "none"},
	})
	check(err)
	description, err := handle.Describe(ctx)
	check(err)
	return description.Info.NextActionTimes[:3]
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO

expect "$(go run . 2>/dev/null)" "cron workflow within 8 days: true
schedule: Friday 13
schedule: Friday 13
schedule: Friday 13"
