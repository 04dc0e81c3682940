package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const checkAlive = "a worker answers"

// answerTimeout is longer than a worker needs to replay any verification.
const answerTimeout = 8 * time.Second

// alive queries a worker: Temporal shows a poller for minutes after it has died. A query changes nothing, and any
// verification serves, closed ones too.
func (e *checker) alive(ctx context.Context, c *ops.Client) {
	id, run, err := newest(ctx, c)
	switch {
	case err != nil:
		e.skip("no verification can be found to query: "+err.Error(), checkAlive)
		return
	case id == "":
		e.renewed(ctx, c)
		return
	}
	limited, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	_, err = c.Temporal().QueryWorkflowWithOptions(limited, &client.QueryWorkflowWithOptionsRequest{WorkflowID: id, RunID: run, QueryType: kyc.QueryState})
	if _, failed := errors.AsType[*serviceerror.QueryFailed](err); err == nil || failed {
		e.ok(checkAlive, "queried "+id)
		return
	}
	e.fail(checkAlive, fmt.Sprintf("no worker answers within %s, though pollers may be shown: Temporal shows them for minutes", answerTimeout), startAWorker)
}

// newest finds the verification that began last.
func newest(ctx context.Context, c *ops.Client) (id, run string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	page, err := c.Temporal().ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.Namespace(), PageSize: 1, Query: fmt.Sprintf("WorkflowType = '%s' AND TaskQueue = '%s'", kyc.WorkflowVerification, kyc.TaskQueue),
	})
	if err != nil || len(page.GetExecutions()) == 0 {
		return "", "", err
	}
	x := page.GetExecutions()[0].GetExecution()
	return x.GetWorkflowId(), x.GetRunId(), nil
}

// A poll that finds nothing ends after a minute, and a living poller begins the next one at once.
const (
	pollLasts = 62 * time.Second
	pollCheck = time.Second
)

// renewed waits for the next poll, where there is no verification to query.
func (e *checker) renewed(ctx context.Context, c *ops.Client) {
	began, _, err := lastPoll(ctx, c, kyc.TaskQueue, queueKinds[0].kind)
	if err != nil || began.IsZero() {
		e.skip("there is no verification to query, and no worker polls", checkAlive)
		return
	}
	for range int(pollLasts / pollCheck) {
		select {
		case <-ctx.Done():
			e.skip("there is no verification to query; --timeout 2m waits for the next poll", checkAlive)
			return
		case <-e.After(pollCheck):
		}
		if last, _, err := lastPoll(ctx, c, kyc.TaskQueue, queueKinds[0].kind); err == nil && last.After(began) {
			e.ok(checkAlive, "it has polled again")
			return
		}
	}
	e.fail(checkAlive, fmt.Sprintf("the pollers that Temporal shows have not polled again within %s", pollLasts), startAWorker)
}
