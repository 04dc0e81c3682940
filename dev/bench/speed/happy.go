package speed

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/dev/audit"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/billable"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// perByte is the price of a history at Temporal Cloud, pay as you go, in dollars (docs.temporal.io/cloud/pricing, read on
// 24 November 2026), for a user who takes a day, and a history that is kept for 30.
const perByte = (0.042*24 + 0.00105*30*24) / 1e9

// happy is what a happy verification costs Temporal and us, and what it leaves, event by event.
func happy(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "Each step is taken by all users of a measurement, and the next one when nothing is left to do: minutes lie between them in life. " +
		"Prices: docs.temporal.io/cloud/pricing and /cloud/actions, read on 24 November 2026: $50 per million actions, $0.042 per GB and hour while open, " +
		"$0.00105 after; for 24 h open and 720 h kept. A query (GET on the API) is one more action each."
	counted := false
	return onStores(ctx, env, note, func(b *bed, r *run.Report, on store) error {
		if !counted { // it is the same on any store
			counted = true
			if err := b.count(ctx, r); err != nil {
				return err
			}
		}
		if b.old == nil { // nothing to compare with
			return nil
		}
		n := run.Pick(env, 60, 8)
		sides := b.sides(n, func(s *system) measurement {
			return func(ctx context.Context, i int) (figures, error) {
				_, err := b.live(ctx, s, fmt.Sprintf("happy-%d", i), n)
				return figures{}, err
			}
		})
		title := fmt.Sprintf("processor time of a verification with callback, %d at once, Temporal on %s", n, on.name)
		return b.turns(ctx, on.of("happy"), title, sides, r,
			row{"server", on.of("one verification, Temporal's processor time"), millis, run.Target{}},
			row{"programs", on.of("one verification, processor time of all our processes"), millis, run.Target{}})
	})
}

// live lets n verifications go well: the start, three webhooks, the verdict. The first webhook need not reach the workflow.
func (b *bed) live(ctx context.Context, s *system, prefix string, n int) ([]diditsim.Session, error) {
	about, _, err := s.begin(ctx, prefix, n)
	if err != nil {
		return nil, err
	}
	for _, status := range []didit.Status{didit.StatusNotStarted, didit.StatusInProgress} {
		if err := b.waitIdle(ctx); err != nil {
			return nil, err
		}
		if err := s.tell(ctx, about, status); err != nil {
			return nil, err
		}
	}
	all, err := s.approve(ctx, about)
	if err == nil {
		err = b.waitIdle(ctx)
	}
	if err != nil {
		return nil, err
	}
	_, err = closed(ctx, connections, n, func(ctx context.Context, i int) error { return s.decide(ctx, all[i], about[i].VendorData) })
	return about, err
}

// count notes the history of one verification of each build.
func (b *bed) count(ctx context.Context, r *run.Report) error {
	sums := run.Table{
		Title:   "a happy verification with callback: three webhooks (Not Started, In Progress, Approved)",
		Columns: []string{"", "events", "list writes", "KB", "billable actions", "$ per 1,000"},
	}
	listing := run.Table{Title: "each event of ours", Columns: []string{"event", "type", "activity", "actions"}}
	for _, s := range b.systems() {
		about, err := b.live(ctx, s, "counted", 1)
		if err != nil {
			return err
		}
		events, bytes, err := s.read(ctx, about[0].VendorData)
		if err != nil {
			return err
		}
		actions, upserts := 0, 0
		for _, e := range events {
			actions += billable.Actions(e)
			if e.GetEventType() == enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES {
				upserts++
			}
			activity := e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
			if s == b.ours {
				listing.Row(e.GetEventId(), e.GetEventType().String(), activity, billable.Actions(e))
			}
		}
		sums.Row(s.name, len(events), upserts, float64(bytes)/1000, actions, fmt.Sprintf("%.2f", 1000*(float64(actions)*billable.Dollars+float64(bytes)*perByte)))
		if s == b.ours {
			r.Promise(len(events) <= 33 && actions <= 12 && bytes <= 12_000, "%d events, %d billable actions, %d bytes; 33, 12 and 12,000 are allowed", len(events), actions, bytes)
		}
	}
	r.Tables = append(r.Tables, sums, listing)
	return nil
}

func (s *system) read(ctx context.Context, user string) (events []*historypb.HistoryEvent, bytes int64, err error) {
	events, err = audit.History(ctx, s.Temporal(), kyc.WorkflowID(user), "")
	if err != nil {
		return nil, 0, err
	}
	d, err := s.Describe(ctx, user, "")
	return events, d.GetWorkflowExecutionInfo().GetHistorySizeBytes(), err
}
