#!/bin/sh
# go.temporal.io/sdk v1.50.0: an activity's non-retryable error that is wrapped with %w, as Go code
# usually does, is retried like any other. Only the outermost error counts: the flag, the type and
# the details of the inner one are in the cause only, and the type is "wrapError".
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
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

var attempts int

func refuse(wrap bool) error {
	attempts++
	err := temporal.NewNonRetryableApplicationError("no", "Refused", nil)
	if wrap {
		return fmt.Errorf("create: %w", err)
	}
	return err
}

func call(ctx workflow.Context, wrap bool) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 4},
	})
	return workflow.ExecuteActivity(ctx, refuse, wrap).Get(ctx, nil)
}

func main() {
	for _, wrap := range []bool{false, true} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
		env := suite.NewTestWorkflowEnvironment()
		env.RegisterActivity(refuse)
		attempts = 0
		env.ExecuteWorkflow(call, wrap)
		var failure *temporal.ApplicationError
		errors.As(env.GetWorkflowError(), &failure)
		fmt.Printf("wrapped %t: %d attempts, type %s\n", wrap, attempts, failure.Type())
	}
}
GO

expect "$(go run .)" "wrapped false: 1 attempts, type Refused
wrapped true: 4 attempts, type wrapError"
