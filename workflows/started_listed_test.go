package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// A history is an event shorter where the starter has said what the workflow would say first; one that did not, such as
// a program in another language, changes nothing about the rest.
func TestWhatTheStarterHasSaidIsNotSaidAgain(t *testing.T) {
	upserts := func(start func(*life)) (all []string) {
		l := newLife(t, 1.05)
		start(l)
		l.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
			changes, ok := args.Get(0).(temporal.SearchAttributes)
			require.True(t, ok)
			waitingFor, _ := changes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor))
			all = append(all, waitingFor)
		}).Return(nil)
		l.moves(time.Hour, didit.StatusApproved)
		l.hears(time.Hour, 1, time.Hour, didit.StatusApproved)
		require.Equal(t, kyc.OutcomeApproved, l.run().Outcome)
		return all
	}
	bare := upserts(func(*life) {})
	listed := upserts(func(l *life) {
		require.NoError(t, l.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet(string(kyc.WaitingForLimit)))))
	})
	require.Equal(t, string(kyc.WaitingForLimit), bare[0])
	require.Equal(t, bare[1:], listed)
}
