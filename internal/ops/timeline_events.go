package ops

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
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// Activities that a timeline shows; the names are those of package activities.
const (
	activityCreate = "CreateSession"
	activityRead   = "ReadDecision"
	activityDelete = "DeleteSession"
)

// take adds the step of an event that matters to a person.
func (t *reader) take(ev *historypb.HistoryEvent) {
	switch ev.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		t.started(ev, ev.GetWorkflowExecutionStartedEventAttributes().GetInput())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		var said kyc.DiditEvent
		if a := ev.GetWorkflowExecutionSignaledEventAttributes(); a.GetSignalName() == kyc.SignalDiditEvent && t.read(a.GetInput(), &said) {
			t.event(ev, StepEvent, said)
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		in := ev.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput()
		var by kyc.Operator
		if in.GetName() != kyc.UpdateSession && t.read(in.GetArgs(), &by) {
			t.add(ev, Step{What: StepAction, Actor: by.Actor, Reason: by.Reason, Note: in.GetName()})
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

func (t *reader) started(ev *historypb.HistoryEvent, input *commonpb.Payloads) {
	switch t.kind {
	case kyc.WorkflowVerification:
		var in kyc.Input
		t.read(input, &in)
		s := Step{What: StepStarted}
		if in.Resume {
			s.What = StepResumed
		}
		if in.Reverify {
			s.Note = "to verify again"
		}
		t.add(ev, s)
	case kyc.WorkflowOperation:
		var in kyc.Operation
		t.read(input, &in)
		t.add(ev, Step{What: StepAction, Actor: in.Actor, Reason: in.Reason, SessionID: in.SessionID, Note: string(in.Verb)})
	}
}

func (t *reader) event(ev *historypb.HistoryEvent, what StepKind, said kyc.DiditEvent) {
	s := Step{What: what, Status: said.Status, SessionID: said.SessionID}
	if said.CreatedAt > 0 {
		s.Note = "of " + time.Unix(said.CreatedAt, 0).UTC().Format(time.RFC3339)
	}
	t.add(ev, s)
}

// done adds the step of an activity that completed.
func (t *reader) done(ev *historypb.HistoryEvent, name string, result *commonpb.Payloads) {
	var r struct {
		Session  kyc.Session  `json:"session"`
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

// ended adds the step with which a run ended.
func (t *reader) ended(ev *historypb.HistoryEvent) {
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

func (t *reader) completed(ev *historypb.HistoryEvent, result *commonpb.Payloads) {
	switch t.kind {
	case kyc.WorkflowVerification:
		var s kyc.State
		t.read(result, &s)
		t.add(ev, Step{What: StepEnded, Status: s.Status, Outcome: s.Outcome, SessionID: s.SessionID, Note: s.ErrorType})
	case kyc.WorkflowOperation:
		var r kyc.OperationResult
		t.read(result, &r)
		if r.Erased != nil {
			t.add(ev, Step{What: StepActionDone, Outcome: kyc.OutcomeErased, Note: r.Erased.String()})
			return
		}
		note := fmt.Sprintf("%s; was %s", r.Verb, r.Before)
		if r.Already {
			note = string(r.Verb) + "; it was so already"
		}
		t.add(ev, Step{What: StepActionDone, Status: r.After, SessionID: r.SessionID, Note: note})
	}
}

// read decodes the first payload; false if there is none, or none that this program can decode.
func (t *reader) read(p *commonpb.Payloads, v any) bool {
	if len(p.GetPayloads()) == 0 {
		return false
	}
	err := t.payloads.FromPayload(p.GetPayloads()[0], v)
	if codec.Unreadable(err) { // a timeline without it would be wrong
		t.unreadable = err
	}
	return err == nil
}

// reason is the typed error that a failure wraps.
func (t *reader) reason(f *failurepb.Failure) string {
	for at := f; at != nil; at = at.GetCause() {
		converter.DecodeCommonFailureAttributes(t.payloads, at)
		if kind := at.GetApplicationFailureInfo().GetType(); kind != "" {
			return kind + ": " + at.GetMessage()
		}
	}
	return cmp.Or(f.GetMessage(), "no reason given")
}
