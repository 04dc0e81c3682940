// Package billable counts the actions that Temporal Cloud bills.
package billable

import (
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

const (
	// Dollars is the price of an action, pay as you go (docs.temporal.io/cloud/pricing, newest text seen in November 2026).
	Dollars = 50.0 / 1e6
	// MostOfHappy is how many actions a verification that goes well may cost, with a callback.
	MostOfHappy = 12
)

// Actions is how many billable actions an event stands for (docs.temporal.io/cloud/actions).
func Actions(e *historypb.HistoryEvent) int {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
		enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enumspb.EVENT_TYPE_TIMER_STARTED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, enumspb.EVENT_TYPE_MARKER_RECORDED:
		return 1
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED: // another try
		return int(e.GetActivityTaskStartedEventAttributes().GetAttempt()) - 1
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		return 2
	}
	return 0
}
