package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// Who has no key cannot sign an event. A key that is missing is another matter: then the workflow waits for it.
func TestASignalThatDoesNotDecryptIsDropped(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{payloadKeys: newKey(t, "a")})
	url := s.begin("u1").Session.URL
	_, err := s.Temporal().WorkflowService().SignalWorkflowExecution(s.within(timeout), &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID("u1")},
		SignalName: kyc.SignalDiditEvent, Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
			Metadata: map[string][]byte{"encoding": []byte(codec.Encoding), codec.MetadataKeyID: []byte("a")}, Data: []byte("too short"),
		}}},
	})
	require.NoError(t, err)
	s.press(url, "approve")
	s.status("u1", didit.StatusApproved)
}
