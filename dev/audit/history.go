package audit

import (
	"context"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"didit-temporal/kyc"
)

// book is what Temporal has of a user.
type book struct {
	signals map[string]int  // by run and event id
	first   map[string]bool // events in the run that made the session
	later   map[string]bool // events in the runs after it
	runs    []*historypb.History
	err     error
}

func (a Auditor) read(ctx context.Context, user string) book {
	b := book{signals: map[string]int{}, first: map[string]bool{}, later: map[string]bool{}}
	sessions := a.Sim.SessionsOf(user)
	if len(sessions) == 0 {
		return b
	}
	first := kyc.MetadataOf(sessions[0].Metadata).RunID
	runs, err := a.Client.Temporal().ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: a.Client.Namespace(), Query: fmt.Sprintf("WorkflowId = '%s'", kyc.WorkflowID(user)),
	})
	if err != nil {
		b.err = err
		return b
	}
	for _, x := range runs.GetExecutions() {
		run := x.GetExecution().GetRunId()
		if b.err = b.add(ctx, a.Client.Temporal(), user, run, run == first); b.err != nil {
			return b
		}
	}
	return b
}

// add reads one run. first says that it is the one that made the session.
func (b *book) add(ctx context.Context, c client.Client, user, run string, first bool) error {
	events, err := History(ctx, c, kyc.WorkflowID(user), run)
	if err != nil {
		return err
	}
	b.runs = append(b.runs, &historypb.History{Events: events})
	for _, ev := range events {
		s := ev.GetWorkflowExecutionSignaledEventAttributes()
		if s == nil {
			continue
		}
		var e kyc.DiditEvent
		if err := converter.GetDefaultDataConverter().FromPayloads(s.GetInput(), &e); err != nil {
			return err
		}
		b.signals[run+" "+e.EventID]++
		if first {
			b.first[e.EventID] = true
		} else {
			b.later[e.EventID] = true
		}
	}
	return nil
}

// History reads the events of a run.
func History(ctx context.Context, c client.Client, workflowID, runID string) (events []*historypb.HistoryEvent, err error) {
	it := c.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		ev, err := it.Next()
		if err != nil {
			return nil, err
		}
		events = append(events, ev)
	}
	return events, nil
}

// failure is why a workflow task failed; empty: it did not, or in a way that costs nothing but a repeat. A signal that
// arrives while a task closes the run is such a way, and so is an update.
func failure(ev *historypb.HistoryEvent) string {
	f := ev.GetWorkflowTaskFailedEventAttributes()
	harmless := []enumspb.WorkflowTaskFailedCause{
		enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED, enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
		enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_UPDATE,
	}
	if slices.Contains(harmless, f.GetCause()) {
		return ""
	}
	return f.GetCause().String()
}
