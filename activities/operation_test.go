package activities_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func setStatus(a *activities.Activities) any { return a.SetStatus }
func remove(a *activities.Activities) any    { return a.DeleteSession }

// do runs an activity that has no result.
func do(t *testing.T, d fakeDidit, pick func(*activities.Activities) any, in any) error {
	t.Helper()
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	a := &activities.Activities{Didit: d}
	env.RegisterActivity(pick(a))
	_, err := env.ExecuteActivity(pick(a), in)
	return err
}

func TestSetStatusSaysWhoAndWhyToDidit(t *testing.T) {
	d := fakeDidit{update: func(id string, r didit.UpdateStatusRequest) error {
		require.Equal(t, "s1", id)
		require.Equal(t, didit.UpdateStatusRequest{NewStatus: didit.StatusDeclined, Comment: "jo fraud:CASE-7"}, r)
		return nil
	}}
	err := do(t, d, setStatus, activities.SetStatusInput{
		RunID: testRun, SessionID: "s1", Status: didit.StatusDeclined, Comment: kyc.Operator{Actor: "jo", Reason: "fraud:CASE-7"}.String(),
	})
	require.NoError(t, err)
}

func TestFailuresOfAnActionHaveNames(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		kind  string
		text  string
		delay time.Duration
	}{
		"too fast":          {&didit.APIError{StatusCode: http.StatusTooManyRequests, RetryAfter: time.Minute}, kyc.ErrorTypeRateLimited, "rate limit", time.Minute},
		"away":              {&didit.APIError{StatusCode: http.StatusBadGateway}, kyc.ErrorTypeUnavailable, "does not answer", 0},
		"no answer":         {errors.New("connection reset"), kyc.ErrorTypeUnavailable, "does not answer", 0},
		"by the status":     {&didit.APIError{StatusCode: http.StatusBadRequest, Detail: "Wrong Current Status"}, kyc.ErrorTypeRejected, "Wrong Current Status", 0},
		"by the key":        {&didit.APIError{StatusCode: http.StatusForbidden}, kyc.ErrorTypeUnauthorized, "API key", 0},
		"out of the credit": {&didit.APIError{StatusCode: http.StatusPaymentRequired}, kyc.ErrorTypeOutOfCredit, "credit", 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{
				update: func(string, didit.UpdateStatusRequest) error { return tc.err },
				remove: func(string, didit.DeleteSessionRequest) error { return tc.err },
			}
			set := do(t, d, setStatus, activities.SetStatusInput{RunID: testRun, SessionID: "s1", Status: didit.StatusApproved})
			del := do(t, d, remove, activities.DeleteSessionInput{SessionID: "s1"})
			for _, err := range []error{set, del} {
				var app *temporal.ApplicationError
				require.ErrorAs(t, err, &app)
				require.Equal(t, tc.kind, app.Type())
				require.Contains(t, app.Message(), tc.text)
				require.GreaterOrEqual(t, app.NextRetryDelay(), tc.delay)
				benign := app.Category() == temporal.ApplicationErrorCategoryBenign
				require.Equal(t, tc.kind == kyc.ErrorTypeRateLimited, benign, "waiting for a turn is not failing, and all else is")
			}
		})
	}
}

func TestASessionThatIsGoneIsDeleted(t *testing.T) {
	d := fakeDidit{remove: func(string, didit.DeleteSessionRequest) error {
		return &didit.APIError{StatusCode: http.StatusNotFound}
	}}
	err := do(t, d, remove, activities.DeleteSessionInput{SessionID: "s1"})
	require.NoError(t, err)
}

func TestFindReviewKnowsItsOwn(t *testing.T) {
	now := time.Now()
	in := activities.FindReviewInput{
		SetStatusInput: activities.SetStatusInput{SessionID: "s1", Status: didit.StatusResubmitted, Comment: "jo blurred:CASE-8"}, Since: now,
	}
	own := didit.Review{NewStatus: didit.StatusResubmitted, Comment: "jo blurred:CASE-8", CreatedAt: now.Add(time.Second)}
	with := func(change func(*didit.Review)) didit.Review {
		r := own
		change(&r)
		return r
	}
	for name, tc := range map[string]struct {
		review didit.Review
		want   bool
	}{
		"the order's":          {own, true},
		"by a clock behind":    {with(func(r *didit.Review) { r.CreatedAt = now.Add(-30 * time.Second) }), true},
		"without a time":       {with(func(r *didit.Review) { r.CreatedAt = time.Time{} }), true},
		"of an earlier order":  {with(func(r *didit.Review) { r.CreatedAt = now.Add(-time.Hour) }), false},
		"of another reviewer":  {with(func(r *didit.Review) { r.Comment = "looks fine" }), false},
		"with another verdict": {with(func(r *didit.Review) { r.NewStatus = didit.StatusApproved }), false},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{review: func(string) ([]didit.Review, error) { return []didit.Review{{}, tc.review}, nil }}
			got, err := run[activities.FoundReview](t, d, func(a *activities.Activities) any { return a.FindReview }, in)
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Found)
		})
	}
}

// An operation that is reset, or started once more by hand, must not undo what a colleague decided since.
func TestAnOperationActsOnce(t *testing.T) {
	d := fakeDidit{update: func(string, didit.UpdateStatusRequest) error { panic("acted") }}
	err := do(t, d, setStatus, activities.SetStatusInput{RunID: firstRun, SessionID: "s1", Status: didit.StatusApproved})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, kyc.ErrorTypeRefused, app.Type())
	require.True(t, app.NonRetryable())
}

// history is what Temporal remembers of an operation and its user.
type history struct {
	runs    int64
	session string
}

func (h history) CountRuns(context.Context, string) (int64, error)  { return h.runs, nil }
func (h history) SessionOf(context.Context, string) (string, error) { return h.session, nil }

func TestAnOperationLearnsWhetherItRanBefore(t *testing.T) {
	for name, tc := range map[string]struct {
		in   activities.BeginOperationInput
		runs int64
		want activities.BegunOperation
	}{
		"the first time":       {activities.BeginOperationInput{UserID: "u1"}, 1, activities.BegunOperation{SessionID: "newest"}},
		"not listed yet":       {activities.BeginOperationInput{UserID: "u1"}, 0, activities.BegunOperation{SessionID: "newest"}},
		"about one session":    {activities.BeginOperationInput{UserID: "u1", SessionID: "s1"}, 1, activities.BegunOperation{SessionID: "s1"}},
		"again, after a reset": {activities.BeginOperationInput{UserID: "u1", SessionID: "s1"}, 2, activities.BegunOperation{SessionID: "s1", Repeated: true}},
	} {
		env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
		a := &activities.Activities{Operations: history{runs: tc.runs, session: "newest"}}
		env.RegisterActivity(a.BeginOperation)
		value, err := env.ExecuteActivity(a.BeginOperation, tc.in)
		require.NoError(t, err, name)
		var got activities.BegunOperation
		require.NoError(t, value.Get(&got), name)
		require.Equal(t, tc.want, got, name)
	}
}
