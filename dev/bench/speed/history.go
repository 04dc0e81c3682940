package speed

import (
	"context"
	"fmt"
	"net/http"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/billable"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Prices of Temporal Cloud, pay as you go, in dollars (docs.temporal.io/cloud/pricing, read on 24 November 2026).
const (
	perAction     = 50.0 / 1e6
	activeGBh     = 0.042
	retainedGBh   = 0.00105
	gigabyte      = 1e9
	pricesAsOf    = "docs.temporal.io/cloud/pricing and /cloud/actions, read on 24 November 2026"
	hoursWaiting  = 24.0      // of a user who takes his time
	hoursRetained = 30 * 24.0 // the namespace's retention
)

// history is what a happy verification leaves in Temporal, event by event.
func history(ctx context.Context, env *run.Env) (*run.Report, error) {
	r := &run.Report{}
	sums := run.Table{
		Title:   "a happy verification: three webhooks (Not Started, which is not signalled, In Progress, Approved)",
		Columns: []string{"", "events", "allowed", "KB", "allowed", "billable actions", "$ per 1,000"},
	}
	for _, c := range []struct {
		name    string
		results bool
		events  int
	}{{"without a result callback", false, 32}, {"with one", true, 33}} {
		events, bytes, err := happy(ctx, env, c.results)
		if err != nil {
			return nil, err
		}
		actions := 0
		for _, e := range events {
			actions += billable.Actions(e)
		}
		price := 1000 * (float64(actions)*perAction + float64(bytes)/gigabyte*(activeGBh*hoursWaiting+retainedGBh*hoursRetained))
		sums.Row(c.name, len(events), c.events, float64(bytes)/1000, 12.0, actions, fmt.Sprintf("%.2f", price))
		r.Figure(float64(len(events)), "events %s", c.name)
		r.Figure(float64(actions), "billable actions %s", c.name)
		r.Promise(len(events) <= c.events, "%d events %s, %d are allowed", len(events), c.name, c.events)
		r.Promise(actions <= 12, "%d billable actions %s, 12 are allowed", actions, c.name)
		r.Promise(bytes <= 12_000, "%d bytes of history %s, 12,000 are allowed", bytes, c.name)
		if c.results {
			r.Tables = append(r.Tables, listing(events))
		}
	}
	r.Tables = append([]run.Table{sums}, r.Tables...)
	r.Notes = append(r.Notes, fmt.Sprintf("Prices: %s: $50 per million actions, $%.3f per GB and hour while open, $%.5f after; for %.0f h open and %.0f h kept. "+
		"A query (GET on the API) is one more action each.", pricesAsOf, activeGBh, retainedGBh, hoursWaiting, hoursRetained))
	return r, nil
}

// happy lets one verification go well and returns its history and the size of it.
func happy(ctx context.Context, env *run.Env, results bool) ([]*historypb.HistoryEvent, int64, error) {
	s, err := newSystem(ctx, env, testbed.TemporalOptions{}, testbed.Fast{Results: results}, true)
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	about, _, err := s.begin(ctx, "happy", 1)
	if err != nil {
		return nil, 0, err
	}
	v := about[0]
	for _, status := range []didit.Status{didit.StatusNotStarted, didit.StatusInProgress, didit.StatusApproved} {
		if status == didit.StatusApproved {
			if err := testbed.Approve(ctx, []string{v.session.URL}); err != nil {
				return nil, 0, err
			}
		}
		h, err := hook(s.WebhookURL, v.body(status, 0), http.StatusOK)
		if err == nil {
			_, err = s.flood.send(ctx, h)
		}
		if err != nil {
			return nil, 0, err
		}
		if err := s.waitIdle(ctx); err != nil { // minutes lie between them in life
			return nil, 0, err
		}
	}
	if err := s.Temporal().GetWorkflow(ctx, kyc.WorkflowID(v.user), v.run).Get(ctx, nil); err != nil {
		return nil, 0, err
	}
	return s.read(ctx, v)
}

func (s *system) read(ctx context.Context, v verification) (events []*historypb.HistoryEvent, bytes int64, err error) {
	all := s.Temporal().GetWorkflowHistory(ctx, kyc.WorkflowID(v.user), v.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		e, err := all.Next()
		if err != nil {
			return nil, 0, err
		}
		events = append(events, e)
	}
	d, err := s.Temporal().DescribeWorkflowExecution(ctx, kyc.WorkflowID(v.user), v.run)
	return events, d.GetWorkflowExecutionInfo().GetHistorySizeBytes(), err
}

// listing is a history in words: each event, and why it is there.
func listing(events []*historypb.HistoryEvent) run.Table {
	t := run.Table{Title: "each event of the one with a callback", Columns: []string{"event", "type", "why", "actions"}}
	for _, e := range events {
		t.Row(e.GetEventId(), e.GetEventType().String(), why(events, e), billable.Actions(e))
	}
	return t
}

func why(events []*historypb.HistoryEvent, e *historypb.HistoryEvent) string {
	name := func(scheduled int64) string {
		return events[scheduled-1].GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		return "a user signs up"
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		return "the signup service asks for the URL"
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
		return "and has it"
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		return "a webhook of Didit"
	case enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		return "operators can list who waits for what"
	case enumspb.EVENT_TYPE_TIMER_STARTED:
		return "the next poll of Didit, if no webhook comes"
	case enumspb.EVENT_TYPE_MARKER_RECORDED:
		return "the callback was delivered"
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		return "a call: " + name(e.GetEventId())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		return "a worker has it: " + name(e.GetActivityTaskStartedEventAttributes().GetScheduledEventId())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		return "its answer: " + name(e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId())
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
		return "something happened that the workflow decides on"
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
		return "a worker decides"
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		return "the verdict is the result"
	}
	return ""
}
