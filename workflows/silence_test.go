package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Who waits for a turn and who waits for a Didit that is down must not look alike in the list, whether Didit says that it
// takes no calls or says nothing that makes sense.
func TestTheListTellsThatDiditDoesNotAnswer(t *testing.T) {
	const wait = 2 * time.Minute
	for name, err := range map[string]error{
		"closed": temporal.NewApplicationErrorWithOptions("503", kyc.ErrorTypeUnavailable, temporal.ApplicationErrorOptions{NextRetryDelay: wait}),
		"lost":   temporal.NewNonRetryableApplicationError("hung up", kyc.ErrorTypeUnavailable, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, said := newWorld(t), []string{}
			w.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
				changes, ok := args.Get(0).(temporal.SearchAttributes)
				require.True(t, ok)
				waitingFor, _ := changes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor))
				errorType, _ := changes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(kyc.AttributeErrorType))
				said = append(said, waitingFor+" "+errorType)
			}).Return(nil)
			began := w.Now()
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(activities.MadeSession{}, err).Once()
			w.OnActivity(acts.ListSessions, mock.Anything, mock.Anything).Return(activities.UserSessions{Cap: 9}, nil).Maybe()
			made := w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(made, nil)
			if name == "closed" {
				made.Run(func(mock.Arguments) {
					require.WithinDuration(t, began.Add(wait), w.Now(), time.Second, "as Didit asked")
				})
			}
			w.decides().at(48*time.Hour, didit.StatusApproved, ev(2, didit.StatusApproved))
			require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
			require.Equal(t, []string{"limit ", "didit DiditUnavailable", "user "}, said[:3])
			w.AssertExpectations(t)
		})
	}
}
