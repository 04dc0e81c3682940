package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/kyc"
)

// A run that is started like another one by hand begins with all that was listed of that one.
func TestTheListIsTrueFromTheFirstTaskOn(t *testing.T) {
	keyword := func(name, value string) temporal.SearchAttributeUpdate {
		return temporal.NewSearchAttributeKeyKeyword(name).ValueSet(value)
	}
	for name, set := range map[string][]temporal.SearchAttributeUpdate{
		"nothing":               nil,
		"what the client lists": {keyword(kyc.AttributeWaitingFor, "limit")},
		"all of a run that failed": {
			keyword(kyc.AttributeStatus, "Declined"), keyword(kyc.AttributeOutcome, "declined"), keyword(kyc.AttributeSessionID, sessionID(7)),
			keyword(kyc.AttributeFlow, otherFlow), keyword(kyc.AttributeWaitingFor, ""), keyword(kyc.AttributeErrorType, kyc.ErrorTypeOutOfCredit),
			temporal.NewSearchAttributeKeyInt64(kyc.AttributeAttempt).ValueSet(3), temporal.NewSearchAttributeKeyTime(kyc.AttributeDeadline).ValueSet(time.Unix(1, 0)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t, patient)
			l.prepare = func(env *testsuite.TestWorkflowEnvironment) {
				if len(set) == 0 {
					return
				}
				before := temporal.NewSearchAttributes(set...)
				require.NoError(t, env.SetTypedSearchAttributesOnStart(before))
				for k, v := range before.GetUntypedValues() {
					l.list[k.GetName()] = v
				}
			}
			l.slow(l.acts.CreateSession, lasting(time.Hour))
			l.follow(start(nil), step{time.Minute, func(l *life) {
				want := map[string]any{kyc.AttributeWaitingFor: "limit"}
				if len(set) > 1 {
					want = map[string]any{
						kyc.AttributeStatus: "", kyc.AttributeOutcome: "", kyc.AttributeSessionID: "", kyc.AttributeFlow: "", kyc.AttributeWaitingFor: "limit", kyc.AttributeAttempt: int64(0),
					}
				}
				require.Equal(t, want, l.list)
			}}, step{2 * time.Hour, func(l *life) {
				want := map[string]any{
					kyc.AttributeStatus: "Not Started", kyc.AttributeSessionID: sessionID(1), kyc.AttributeFlow: flow, kyc.AttributeWaitingFor: "user", kyc.AttributeAttempt: int64(1),
					kyc.AttributeDeadline: l.start.Add(time.Hour + deadline),
				}
				if len(set) > 1 {
					want[kyc.AttributeOutcome] = ""
				}
				require.Equal(t, want, l.list)
			}})
		})
	}
}

// The list at every step of a life, and how often it is written.
func TestTheListAtEveryStep(t *testing.T) {
	l := lives(t, patient, changes(time.Hour, inProgress), changes(2*time.Hour, inReview), changes(3*time.Hour, resubmitted), changes(4*time.Hour, approved))
	require.Equal(t, []any{nil, "Not Started", "In Progress", "In Review", "Resubmitted", "Approved"}, l.column(kyc.AttributeStatus))
	require.Equal(t, []any{"limit", "user", "review", "user", ""}, l.column(kyc.AttributeWaitingFor))
	require.Equal(t, []any{nil, int64(1), int64(2)}, l.column(kyc.AttributeAttempt))
	require.Equal(t, []any{nil, "approved"}, l.column(kyc.AttributeOutcome))
	require.Equal(t, []any{nil, l.start.Add(deadline), nil, l.start.Add(deadline + 3*time.Hour), nil}, l.column(kyc.AttributeDeadline))
	require.Equal(t, []any{nil}, l.column(kyc.AttributeErrorType))
	require.Len(t, l.listed, 6)
}
