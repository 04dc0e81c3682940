#!/bin/sh
# Temporal server v1.32.1 on SQLite: a Datetime search attribute reads back with all nanoseconds,
# but the index has milliseconds only. A filter with the value of describe and list finds
# nothing; "equal" and "later than" in microseconds find nothing either. Filter by a range of milliseconds.
. "$(dirname "$0")/common"

go_get_server
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/server/temporaltest"
)

func main() {
	server := temporaltest.NewServer()
	defer server.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := server.GetDefaultClient()
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        server.GetDefaultNamespace(),
		SearchAttributes: map[string]enums.IndexedValueType{"Due": enums.INDEXED_VALUE_TYPE_DATETIME},
	})
	check(err)
	due := temporal.NewSearchAttributeKeyTime("Due")
	at := time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC)
	options := client.StartWorkflowOptions{ID: "w", TaskQueue: "none",
		TypedSearchAttributes: temporal.NewSearchAttributes(due.ValueSet(at))}
	await(func() bool { _, err := c.ExecuteWorkflow(ctx, options, "None"); return err == nil })
	await(func() bool { return count(ctx, c, "WorkflowId = 'w'") == 1 })
	description, err := c.DescribeWorkflow(ctx, "w", "")
	check(err)
	value, _ := description.TypedSearchAttributes.GetTime(due)
	fmt.Println("describe:", value.Format(time.RFC3339Nano))
	for _, filter := range []string{"= '2026-01-01T00:00:00.123456789Z'",
		"= '2026-01-01T00:00:00.123456Z'", "> '2026-01-01T00:00:00.123001Z'",
		"= '2026-01-01T00:00:00.123Z'"} {
		fmt.Println("Due", filter, "finds", count(ctx, c, "Due "+filter))
	}
}

func count(ctx context.Context, c client.Client, query string) int64 {
	answer, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	check(err)
	return answer.Count
}

func await(done func() bool) {
	for range 100 {
		if done() {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	panic("the server did not get there")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO

expect "$(go run . 2>/dev/null)" "describe: 2026-01-01T00:00:00.123456789Z
Due = '2026-01-01T00:00:00.123456789Z' finds 0
Due = '2026-01-01T00:00:00.123456Z' finds 0
Due > '2026-01-01T00:00:00.123001Z' finds 0
Due = '2026-01-01T00:00:00.123Z' finds 1"
