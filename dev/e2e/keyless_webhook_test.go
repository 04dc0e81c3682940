package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// The process that faces the internet holds no key: its signals are plain and hold no secret, and it cannot read one.
func TestTheWebhookNeedsNoPayloadKey(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{payloadKeys: newKey(t, "a")})
	keys := s.keys
	s.stopWebhook()
	s.keys = codec.Keys{}
	s.stopWebhook = s.startWebhook()
	keyless := s.dial()
	s.keys = keys

	began, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1"})
	require.NoError(t, err)
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusInProgress))
	s.status("u1", didit.StatusInProgress)
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusApproved))
	assert.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)

	signals := 0
	for _, ev := range s.historyOf(kyc.WorkflowID("u1"), "") {
		signal := ev.GetWorkflowExecutionSignaledEventAttributes()
		if signal == nil {
			continue
		}
		signals++
		assert.Equal(t, "json/plain", string(signal.GetInput().GetPayloads()[0].GetMetadata()["encoding"]))
		assert.NotContains(t, string(signal.GetInput().GetPayloads()[0].GetData()), began.Session.SessionToken)
	}
	assert.Positive(t, signals)
	_, err = keyless.Find(s.within(timeout), "u1")
	require.ErrorContains(t, err, "PAYLOAD_KEYS")
}
