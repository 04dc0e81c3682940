package kyc

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/didit"
	"didit-temporal/kyc/codec"
)

// Activities of which a story tells; the names are those of package activities.
const (
	activityCreate = "CreateSession"
	activityRead   = "ReadDecision"
	activityDelete = "DeleteSession"
)

// take adds what an event says, if a person wants to know it.
func (t *teller) take(ev *historypb.HistoryEvent) {
	switch ev.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		t.started(ev, ev.GetWorkflowExecutionStartedEventAttributes().GetInput())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		var said DiditEvent
		if a := ev.GetWorkflowExecutionSignaledEventAttributes(); a.GetSignalName() == SignalDiditEvent && t.read(a.GetInput(), &said) {
			t.event(ev, StepEvent, said)
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		in := ev.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput()
		var by Operator
		if in.GetName() != UpdateSession && t.read(in.GetArgs(), &by) {
			t.add(ev, Step{What: StepOrder, Actor: by.Actor, Reason: by.Reason, Note: in.GetName()})
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		t.activity[ev.GetEventId()] = ev.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		a := ev.GetActivityTaskCompletedEventAttributes()
		t.done(ev, t.activity[a.GetScheduledEventId()], a.GetResult())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := ev.GetActivityTaskFailedEventAttributes()
		t.add(ev, Step{What: StepFailed, Note: t.activity[a.GetScheduledEventId()] + ": " + t.reason(a.GetFailure())})
	default:
		t.ended(ev)
	}
}

func (t *teller) started(ev *historypb.HistoryEvent, input *commonpb.Payloads) {
	switch t.kind {
	case WorkflowVerification:
		var in Input
		t.read(input, &in)
		s := Step{What: StepStarted}
		if in.Resume {
			s.What = StepResumed
		}
		if in.Reverify {
			s.Note = "to verify again"
		}
		t.add(ev, s)
	case WorkflowOperation:
		var in Operation
		t.read(input, &in)
		t.add(ev, Step{What: StepOrder, Actor: in.Actor, Reason: in.Reason, SessionID: in.SessionID, Note: string(in.Verb)})
	}
}

func (t *teller) event(ev *historypb.HistoryEvent, what StepKind, said DiditEvent) {
	s := Step{What: what, Status: said.Status, SessionID: said.SessionID}
	if said.CreatedAt > 0 {
		s.Note = "of " + time.Unix(said.CreatedAt, 0).UTC().Format(time.RFC3339)
	}
	t.add(ev, s)
}

// done tells of an activity that came to its end.
func (t *teller) done(ev *historypb.HistoryEvent, name string, result *commonpb.Payloads) {
	var r struct {
		Session  Session      `json:"session"`
		Status   didit.Status `json:"status"`
		Warnings []string     `json:"warnings"`
		Foreign  []string     `json:"foreign"`
	}
	if name != activityDelete && !t.read(result, &r) {
		return
	}
	switch {
	case name == activityCreate && r.Session.SessionID != "":
		t.add(ev, Step{What: StepSession, Status: r.Session.Status, SessionID: r.Session.SessionID})
	case name == activityRead && len(r.Foreign) > 0:
		t.add(ev, Step{What: StepDecision, Note: "not usable: differs in " + strings.Join(r.Foreign, ", ")})
	case name == activityRead:
		t.add(ev, Step{What: StepDecision, Status: r.Status, Note: strings.Join(r.Warnings, ", ")})
	case name == activityDelete:
		t.add(ev, Step{What: StepDeleted})
	}
}

// ended tells how a run ended.
func (t *teller) ended(ev *historypb.HistoryEvent) {
	switch ev.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		t.completed(ev, ev.GetWorkflowExecutionCompletedEventAttributes().GetResult())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		t.add(ev, Step{What: StepFailed, Note: t.reason(ev.GetWorkflowExecutionFailedEventAttributes().GetFailure())})
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		t.add(ev, Step{What: StepFailed, Note: "stopped in Temporal"})
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		a := ev.GetWorkflowExecutionTerminatedEventAttributes()
		t.add(ev, Step{What: StepFailed, Actor: a.GetIdentity(), Reason: a.GetReason(), Note: "terminated in Temporal"})
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		t.add(ev, Step{What: StepFailed, Note: "timed out in Temporal"})
	}
}

func (t *teller) completed(ev *historypb.HistoryEvent, result *commonpb.Payloads) {
	switch t.kind {
	case WorkflowVerification:
		var s State
		t.read(result, &s)
		t.add(ev, Step{What: StepEnded, Status: s.Status, Outcome: s.Outcome, SessionID: s.SessionID, Note: s.ErrorType})
	case WorkflowOperation:
		var r OperationResult
		t.read(result, &r)
		if r.Erased != nil {
			t.add(ev, Step{What: StepOrderDone, Outcome: OutcomeErased, Note: r.Erased.String()})
			return
		}
		note := fmt.Sprintf("%s; was %s", r.Verb, r.Before)
		if r.Already {
			note = string(r.Verb) + "; it was so already"
		}
		t.add(ev, Step{What: StepOrderDone, Status: r.After, SessionID: r.SessionID, Note: note})
	}
}

// read decodes the first value; false if there is none, or none that this program understands.
func (t *teller) read(p *commonpb.Payloads, v any) bool {
	if len(p.GetPayloads()) == 0 {
		return false
	}
	err := t.c.payloads.FromPayload(p.GetPayloads()[0], v)
	if codec.Unreadable(err) { // a story without what a key hides would be a wrong one
		t.unreadable = err
	}
	return err == nil
}

// reason is the named error in a failure: Temporal wraps it.
func (t *teller) reason(f *failurepb.Failure) string {
	for at := f; at != nil; at = at.GetCause() {
		converter.DecodeCommonFailureAttributes(t.c.payloads, at)
		if kind := at.GetApplicationFailureInfo().GetType(); kind != "" {
			return kind + ": " + at.GetMessage()
		}
	}
	return cmp.Or(f.GetMessage(), "no reason given")
}
