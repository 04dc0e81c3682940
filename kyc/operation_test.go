package kyc_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func TestOperatorsAreNamesAndCodes(t *testing.T) {
	for by, field := range map[kyc.Operator]string{
		{Actor: "jo", Reason: "documents-checked:CASE-1042"}:          "",
		{Actor: "team.kyc:jo_1-a", Reason: "a#1/2"}:                   "",
		{Actor: strings.Repeat("a", 64), Reason: "a"}:                 "",
		{Actor: strings.Repeat("a", 65), Reason: "a"}:                 "actor",
		{Actor: "", Reason: "a"}:                                      "actor",
		{Actor: "jo smith", Reason: "a"}:                              "actor",
		{Actor: "jo@shop.example", Reason: "a"}:                       "actor",
		{Actor: "-jo", Reason: "a"}:                                   "actor",
		{Actor: "jö", Reason: "a"}:                                    "actor",
		{Actor: "jo", Reason: ""}:                                     "reason",
		{Actor: "jo", Reason: "looks like somebody else"}:             "reason",
		{Actor: "jo", Reason: "a\nb"}:                                 "reason",
		{Actor: "jo", Reason: "/a"}:                                   "reason",
		{Actor: "jo", Reason: strings.Repeat("a", 128)}:               "",
		{Actor: "jo", Reason: strings.Repeat("a", 129)}:               "reason",
		{Actor: "jo", Reason: "wrote:to-someone@shop.example:CASE-1"}: "reason",
	} {
		err := by.Validate()
		if field == "" {
			require.NoError(t, err, by)
			continue
		}
		require.ErrorIs(t, err, kyc.ErrInvalidInput, by)
		require.ErrorContains(t, err, field+": want 1 to ")
	}
}

func TestOperationsOnTheWire(t *testing.T) {
	var op kyc.Operation
	typed := `{"user_id": "u1", "verb": "approve", "actor": "jo", "reason": "checked:CASE-1", "more": 1}`
	require.NoError(t, json.Unmarshal([]byte(typed), &op))
	require.NoError(t, op.Validate())
	require.Equal(t, kyc.Operation{UserID: "u1", Verb: kyc.VerbApprove, Operator: kyc.Operator{Actor: "jo", Reason: "checked:CASE-1"}}, op)
	op.ID = eventID
	sent, err := json.Marshal(op)
	require.NoError(t, err)
	require.JSONEq(t, `{"user_id": "u1", "verb": "approve", "actor": "jo", "reason": "checked:CASE-1"}`, string(sent))
}

func TestOperationIDs(t *testing.T) {
	op := kyc.Operation{UserID: "u1", Verb: kyc.VerbApprove}
	require.NoError(t, op.ValidateWorkflowID(kyc.OperationID("u1", kyc.VerbApprove, eventID)))
	for _, id := range []string{
		"", "kyc-u1", "kyc-u1~approve-", "kyc-u1~approve-1", "kyc-u1~" + eventID, "kyc-u2~approve-" + eventID,
		"kyc-u1~decline-" + eventID, "kyc-u1~approve-urn:uuid:" + eventID, "kyc-u1~approve-" + strings.ReplaceAll(eventID, "-", ""),
	} {
		require.ErrorContains(t, op.ValidateWorkflowID(id), "must be kyc-u1~approve- and a new UUID", id)
	}
}

func TestHowAVerificationHasEnded(t *testing.T) {
	require.Equal(t, "the verification has ended: declined", kyc.HasEnded(kyc.State{Status: didit.StatusDeclined, Outcome: kyc.OutcomeDeclined}))
}
