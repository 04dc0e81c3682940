package workflows_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// shredder is a Didit and a Temporal that have something of a user.
type shredder struct {
	*life
	open       int // times that the verification is found open
	stuck      bool
	stopped    time.Time
	runsLeft   int
	slow       bool // the server lists deleted runs once more
	calls      []string
	rounds     int
	deleted    int
	terminated bool
	afterRound func(round int)
}

func newShredder(t *testing.T, sessions int) *shredder {
	t.Helper()
	s := &shredder{life: newLife(t, patient), afterRound: func(int) {}}
	s.acts.Erasures = s
	s.add(sessions)
	s.didit.fault = func(call string) error {
		s.calls = append(s.calls, call)
		return nil
	}
	return s
}

// add gives Didit sessions of the user, and the user's entity.
func (s *shredder) add(n int) {
	for range n {
		s.didit.add(flow, user, nil, approved)
		s.didit.users = 1
	}
}

func (s *shredder) EndForErasure(_ context.Context, u string, by kyc.EraseRequest, terminate bool) (kyc.EndedVerification, error) {
	require.Equal(s.t, user, u)
	require.NoError(s.t, by.Validate(user))
	switch {
	case s.stuck && !terminate:
		return kyc.EndedVerification{}, errLost
	case s.stuck:
		s.stuck, s.terminated = false, true
		return kyc.EndedVerification{Open: true}, nil
	case s.open > 0:
		s.open--
		return kyc.EndedVerification{Open: true}, nil
	}
	return kyc.EndedVerification{Stopped: s.stopped}, nil
}

func (s *shredder) DeleteRuns(context.Context, string) (kyc.DeletedRuns, error) {
	s.calls = append(s.calls, "runs")
	f := kyc.DeletedRuns{Left: s.runsLeft, Open: s.open > 0}
	for i := range s.runsLeft {
		f.Deleting = append(f.Deleting, fmt.Sprint("run", s.deleted+i))
	}
	if !s.slow {
		s.deleted, s.runsLeft = s.deleted+s.runsLeft, 0
	}
	s.slow = false
	s.rounds++
	s.afterRound(s.rounds)
	return f, nil
}

func (s *shredder) shred() (kyc.OperationResult, error) {
	s.t.Helper()
	d := &desk{life: s.life}
	return d.act(kyc.OperationID(user, kyc.VerbErase, action), kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: jo, LegalHoldChecked: true})
}

func TestErase(t *testing.T) {
	for name, tc := range map[string]struct {
		sessions int
		before   func(*shredder)
		want     kyc.Erased
	}{
		"nothing at all":                        {0, func(*shredder) {}, kyc.Erased{}},
		"an open one":                           {1, func(s *shredder) { s.open, s.runsLeft = 2, 1 }, kyc.Erased{Sessions: 1, Users: 1, Runs: 1, Ended: true}},
		"closed ones":                           {3, func(s *shredder) { s.runsLeft = 5 }, kyc.Erased{Sessions: 3, Users: 1, Runs: 5}},
		"no session at all":                     {0, func(s *shredder) { s.open, s.runsLeft = 1, 1 }, kyc.Erased{Runs: 1, Ended: true}},
		"Temporal has forgotten":                {1, func(*shredder) {}, kyc.Erased{Sessions: 1, Users: 1}},
		"503 twice, then done":                  {2, func(s *shredder) { s.failing("delete", times(2, answered(503))...) }, kyc.Erased{Sessions: 2, Users: 1}},
		"another user whose id differs in case": {1, func(s *shredder) { s.didit.add(flow, "U1", nil, approved) }, kyc.Erased{Sessions: 1, UserKept: true}},
		"a server that takes its time":          {0, func(s *shredder) { s.runsLeft, s.slow = 2, true }, kyc.Erased{Runs: 2}},
		"started again meanwhile": {1, func(s *shredder) {
			s.runsLeft = 1
			s.afterRound = func(round int) {
				if round == 1 {
					s.open, s.runsLeft = 1, 1
					s.add(1)
				}
			}
		}, kyc.Erased{Sessions: 2, Users: 1, Runs: 2, Ended: true}},
		"late updates in Temporal": {1, func(s *shredder) {
			s.runsLeft = 1
			s.afterRound = func(round int) {
				if round < 3 {
					s.runsLeft = 1
				}
			}
		}, kyc.Erased{Sessions: 1, Users: 1, Runs: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShredder(t, tc.sessions)
			tc.before(s)
			got, err := s.shred()
			require.NoError(t, err)
			changed := tc.want != (kyc.Erased{})
			require.Equal(t, kyc.OperationResult{UserID: user, Verb: kyc.VerbErase, Erased: &tc.want, Changed: changed, Already: !changed}, got)
			for _, x := range s.didit.live() {
				require.NotEqual(t, user, x.vendor)
			}
			require.Zero(t, s.runsLeft+s.open)
			require.Equal(t, "runs", s.calls[len(s.calls)-1])
			if !tc.want.UserKept {
				require.Zero(t, s.didit.users)
			}
			if changed {
				require.Greater(t, s.rounds, 1, "a last round found nothing")
			}
		})
	}
}

func TestNothingIsDeletedInTemporalBeforeDidit(t *testing.T) {
	s := newShredder(t, 1)
	s.runsLeft = 1
	s.failing("delete", answered(401))
	_, err := s.shred()
	require.Equal(t, kyc.ErrorTypeUnauthorized, typeOf(err))
	require.NotContains(t, s.calls, "runs")
}

func TestASessionUnderLegalHoldAtDiditIsNamed(t *testing.T) {
	s := newShredder(t, 3)
	s.runsLeft = 2
	s.failing("delete", nil, &didit.APIError{StatusCode: http.StatusConflict, Code: "in_filed_report"})
	_, err := s.shred()
	require.Equal(t, kyc.ErrorTypeLegalHold, typeOf(err))
	require.ErrorContains(t, err, "["+sessionID(2)+"] are kept")
	require.ErrorContains(t, err, "2 sessions, no user; in Temporal: 2 runs")
	require.Len(t, s.didit.live(), 1)
	require.NotContains(t, s.calls, "user", "what depends on it stays too")
}

func TestAVerificationThatDoesNotEndIsTerminated(t *testing.T) {
	s := newShredder(t, 0)
	s.stuck, s.runsLeft = true, 1
	s.stopped = s.now.Add(11 * time.Minute)
	_, err := s.shred()
	require.NoError(t, err)
	require.True(t, s.terminated)
	require.Greater(t, s.now.Sub(s.start), 11*time.Minute+30*time.Second, "a create may have been under way")
}

func TestAnErasureEndsThoughTheUserIsStartedAgainAndAgain(t *testing.T) {
	s := newShredder(t, 1)
	s.afterRound = func(int) { s.add(1) }
	_, err := s.shred()
	require.ErrorContains(t, err, "stop what starts the user again")
}
