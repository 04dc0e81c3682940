package activities_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func eraseSession(a *activities.Activities) any { return a.EraseSession }
func eraseUser(a *activities.Activities) any    { return a.EraseUser }
func listAll(a *activities.Activities) any      { return a.ListAllSessions }

func TestNoFaceIsRetained(t *testing.T) {
	d := fakeDidit{remove: func(id string, r didit.DeleteSessionRequest) error {
		require.Equal(t, "s1", id)
		require.Equal(t, didit.DeletePrivacyErasure, r.Instruction)
		require.NotNil(t, r.RetainFaceEmbeddings)
		require.False(t, *r.RetainFaceEmbeddings)
		require.Zero(t, r.FaceRetentionDays)
		return nil
	}}
	require.NoError(t, do(t, d, eraseSession, activities.DeleteSessionInput{SessionID: "s1"}))
}

func TestFailuresOfAnErasureHaveNames(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		kind  string // empty: done
		final bool
	}{
		"gone already":                {&didit.APIError{StatusCode: http.StatusNotFound}, "", false},
		"the store of faces is down":  {&didit.APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: time.Minute}, kyc.ErrorTypeUnavailable, false},
		"too fast":                    {&didit.APIError{StatusCode: http.StatusTooManyRequests}, kyc.ErrorTypeRateLimited, false},
		"no answer":                   {errors.New("connection reset"), kyc.ErrorTypeUnavailable, false},
		"in a report that was filed":  {&didit.APIError{StatusCode: http.StatusConflict, Code: "in_filed_report"}, kyc.ErrorTypeLegalHold, true},
		"another conflict":            {&didit.APIError{StatusCode: http.StatusConflict, Code: "busy"}, kyc.ErrorTypeRejected, false},
		"a key that may not":          {&didit.APIError{StatusCode: http.StatusForbidden}, kyc.ErrorTypeUnauthorized, false},
		"the same code, as a refusal": {&didit.APIError{StatusCode: http.StatusBadRequest, Code: "in_filed_report"}, kyc.ErrorTypeRejected, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := fakeDidit{remove: func(string, didit.DeleteSessionRequest) error { return tc.err }}
			err := do(t, d, eraseSession, activities.DeleteSessionInput{SessionID: "s1"})
			if tc.kind == "" {
				require.NoError(t, err)
				return
			}
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, tc.kind, app.Type())
			require.Equal(t, tc.final, app.NonRetryable())
		})
	}
}

func TestAUserThatIsGoneIsErased(t *testing.T) {
	for name, tc := range map[string]struct {
		n    int
		err  error
		want int
		kind string
	}{
		"there":         {1, nil, 1, ""},
		"not there":     {0, nil, 0, ""},
		"answered 404":  {0, &didit.APIError{StatusCode: http.StatusNotFound}, 0, ""},
		"Didit is down": {0, &didit.APIError{StatusCode: http.StatusServiceUnavailable}, 0, kyc.ErrorTypeUnavailable},
	} {
		d := fakeDidit{forget: func(user string) (int, error) {
			require.Equal(t, "u1", user)
			return tc.n, tc.err
		}}
		got, err := run[activities.ErasedUsers](t, d, eraseUser, activities.UserInput{UserID: "u1"})
		if tc.kind != "" {
			require.ErrorContains(t, err, tc.kind, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, tc.want, got.Users, name)
	}
}

// Didit does not tell upper from lower case in vendor_data; we do, and must not delete what is another user's.
func TestSessionsOfAUserWhoDiffersInCaseAreLeftAlone(t *testing.T) {
	d := fakeDidit{all: func(string) ([]didit.SessionSummary, error) {
		return []didit.SessionSummary{{ID: "a", VendorData: "u1"}, {ID: "b", VendorData: "U1"}, {ID: "c", VendorData: "u1"}}, nil
	}}
	got, err := run[activities.ErasableSessions](t, d, listAll, activities.UserInput{UserID: "u1"})
	require.NoError(t, err)
	require.Equal(t, activities.ErasableSessions{SessionIDs: []string{"a", "c"}, Others: 1}, got)
}
