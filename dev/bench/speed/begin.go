package speed

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/kyc"
)

// begin starts n verifications and returns when they wait for their users: the session's update is answered by the
// workflow task that starts to wait.
func (s *system) begin(ctx context.Context, prefix string, n int) ([]verification, load, error) {
	all := make([]verification, n)
	l, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
		user := fmt.Sprintf("%s-%d", prefix, i)
		if _, again := s.users.LoadOrStore(user, true); again { // joining one is another thing, and much faster
			return fmt.Errorf("user %s was started before", user)
		}
		began, err := s.Start(ctx, kyc.Input{UserID: user})
		all[i] = verification{user: user, run: began.RunID, session: began.Session, deployment: s.Namespace()}
		return err
	})
	return all, l, err
}

// bareStart is a bare Update-With-Start.
func (s *system) bareStart(ctx context.Context, id string, in bare.Input) (runID string, err error) {
	c := s.plain
	o := client.StartWorkflowOptions{ID: id, TaskQueue: bare.TaskQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}
	if in.Upsert {
		o.TypedSearchAttributes = temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet(string(kyc.WaitingForLimit)))
	}
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(o, bare.Workflow, in),
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: bare.Update, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return "", fmt.Errorf("bare start: %w", err)
	}
	return handle.RunID(), handle.Get(ctx, nil)
}

// bareBegin is begin for bare workflows; it returns their run ids.
func (s *system) bareBegin(ctx context.Context, prefix string, n int, in bare.Input) ([]string, load, error) {
	runs := make([]string, n)
	l, err := closed(ctx, connections, n, func(ctx context.Context, i int) (err error) {
		runs[i], err = s.bareStart(ctx, fmt.Sprintf("%s-%d", prefix, i), in)
		return err
	})
	return runs, l, err
}
