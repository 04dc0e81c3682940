package speed

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// postOne starts a user who was not started before, by the API, and asks again while there is no URL. The API answers 200 where
// its own call of Temporal was repeated.
func (s *system) postOne(ctx context.Context, user string) error {
	r := request{
		url: s.APIURL, body: fmt.Appendf(nil, `{"user_id": %q}`, user), want: []int{http.StatusCreated, http.StatusOK, http.StatusAccepted},
		header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + testbed.Token}},
	}
	for {
		status, err := r.status(ctx)
		if err != nil || status != http.StatusAccepted {
			return err
		}
	}
}

// begin starts n verifications and returns when they wait for their users.
func (s *system) begin(ctx context.Context, prefix string, n int) ([]diditsim.Session, figures, error) {
	f, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
		return s.postOne(ctx, fmt.Sprintf("%s-%d", prefix, i))
	})
	if err != nil {
		return nil, nil, err
	}
	all := make([]diditsim.Session, n)
	for i := range all {
		user := fmt.Sprintf("%s-%d", prefix, i)
		of := s.Sim.SessionsOf(user)
		if len(of) != 1 {
			return nil, nil, fmt.Errorf("%s has %d sessions", user, len(of))
		}
		all[i] = of[0]
	}
	return all, f, nil
}

// tell sends one webhook about each of them, which is true.
func (s *system) tell(ctx context.Context, about []diditsim.Session, status didit.Status) error {
	for _, v := range about {
		if now, _ := s.Sim.Session(v.ID); now.Status != status {
			if err := s.Sim.SetStatus(v.ID, status); err != nil {
				return err
			}
		}
	}
	all, err := hooks(s.WebhookURL, about, status, len(about), 0)
	if err != nil {
		return err
	}
	_, err = closed(ctx, connections, len(all), func(ctx context.Context, i int) error { return all[i].send(ctx) })
	return err
}

// approve lets all of them pass at Didit, and returns the webhooks that say so.
func (s *system) approve(ctx context.Context, about []diditsim.Session) ([]request, error) {
	var urls []string
	for _, v := range about {
		urls = append(urls, v.URL)
	}
	if err := testbed.Approve(ctx, urls); err != nil {
		return nil, err
	}
	return hooks(s.WebhookURL, about, didit.StatusApproved, len(about), 0)
}

// decide sends a verdict's webhook and waits for the end of the workflow.
func (s *system) decide(ctx context.Context, r request, user string) error {
	if err := r.send(ctx); err != nil {
		return err
	}
	var state kyc.State
	err := s.Temporal().GetWorkflow(ctx, kyc.WorkflowID(user), "").Get(ctx, &state)
	if err == nil && state.Outcome != kyc.OutcomeApproved {
		err = fmt.Errorf("outcome %q", state.Outcome)
	}
	return err
}

// bareStart is a bare Update-With-Start.
func (b *bed) bareStart(ctx context.Context, id string, in bare.Input) (runID string, err error) {
	o := client.StartWorkflowOptions{ID: id, TaskQueue: bare.TaskQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}
	if in.Upsert {
		o.TypedSearchAttributes = temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet(string(kyc.WaitingForLimit)))
	}
	handle, err := b.plain.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: b.plain.NewWithStartWorkflowOperation(o, bare.Workflow, in),
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: bare.Update, WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return "", fmt.Errorf("bare start: %w", err)
	}
	return handle.RunID(), handle.Get(ctx, nil)
}

// bareBegin is begin for bare workflows; it returns their run ids.
func (b *bed) bareBegin(ctx context.Context, prefix string, n int, in bare.Input) ([]string, figures, error) {
	runs := make([]string, n)
	f, err := closed(ctx, connections, n, func(ctx context.Context, i int) (err error) {
		runs[i], err = b.bareStart(ctx, fmt.Sprintf("%s-%d", prefix, i), in)
		return err
	})
	return runs, f, err
}

// part are those that a measurement is about: the rounds go through all, so that none finds what another one has left in a
// worker's memory.
func part[T any](all []T, i, n int) []T {
	if n >= len(all) {
		return all
	}
	from := i * n % len(all)
	return slices.Concat(all, all)[from : from+n]
}
