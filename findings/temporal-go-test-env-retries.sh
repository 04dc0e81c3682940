#!/bin/sh
# go.temporal.io/sdk v1.50.0, testsuite: an activity without a retry policy runs ten times, one
# second apart, and then fails, even with an hour in ScheduleToCloseTimeout. The documented
# default is no limit and delays that double; the same environment keeps it for a local activity.
. "$(dirname "$0")/common"

go_get go.temporal.io/sdk@v1.50.0
cat >main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

var attempts int

func fail() error {
	attempts++
	return errors.New("not yet")
}

func remote(ctx workflow.Context) error {
	options := workflow.ActivityOptions{ScheduleToCloseTimeout: time.Hour}
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), fail).Get(ctx, nil)
}

func local(ctx workflow.Context) error {
	options := workflow.LocalActivityOptions{ScheduleToCloseTimeout: time.Hour}
	ctx = workflow.WithLocalActivityOptions(ctx, options)
	return workflow.ExecuteLocalActivity(ctx, fail).Get(ctx, nil)
}

func run(name string, w any) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterActivity(fail)
	attempts = 0
	start := env.Now()
	env.ExecuteWorkflow(w)
	fmt.Printf("%s: %d attempts in %s\n", name, attempts, env.Now().Sub(start).Round(time.Minute/6))
}

func main() {
	run("activity", remote)
	run("local activity", local)
}
GO

expect "$(go run .)" "activity: 10 attempts in 10s
local activity: 42 attempts in 58m50s"
