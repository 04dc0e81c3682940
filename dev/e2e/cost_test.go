package e2e

import (
	"github.com/stretchr/testify/assert"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/dev/billable"
)

// maxListWrites is how many writes to the list a verification that goes well may cost.
const maxListWrites = 4

// affordable checks the history of a verification that went well.
func (s *system) affordable(events []*historypb.HistoryEvent, maxEvents int) {
	s.t.Helper()
	actions := 0
	for _, ev := range events {
		actions += billable.Actions(ev)
	}
	writes := listWrites(events)
	s.t.Logf("%d events, %d bytes, %d billable actions, %d writes to the list", len(events), size(events), actions, writes)
	assert.LessOrEqual(s.t, len(events), maxEvents, "events: %v", types(events))
	assert.LessOrEqual(s.t, actions, billable.MostOfHappy, "billable actions: %v", types(events))
	assert.LessOrEqual(s.t, writes, maxListWrites, "writes to the list: %v", types(events))
}

// listWrites counts the writes to the visibility store: the start, each change of the search attributes, the end. The server
// skips a change that comes with the end (service/history/visibility_queue_task_executor.go).
func listWrites(events []*historypb.HistoryEvent) (n int) {
	last := events[len(events)-1].GetWorkflowExecutionCompletedEventAttributes()
	for _, ev := range events {
		switch upsert := ev.GetUpsertWorkflowSearchAttributesEventAttributes(); {
		case upsert != nil && (last == nil || upsert.GetWorkflowTaskCompletedEventId() != last.GetWorkflowTaskCompletedEventId()):
			n++
		case ev.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, last != nil && ev == events[len(events)-1]:
			n++
		}
	}
	return n
}

func types(events []*historypb.HistoryEvent) (names []string) {
	for _, ev := range events {
		names = append(names, ev.GetEventType().String())
	}
	return names
}
