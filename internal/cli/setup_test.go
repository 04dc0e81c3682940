package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// attributes of a namespace that has the first n of three.
func attributes(n int) []ops.SearchAttribute {
	all := []ops.SearchAttribute{
		{Name: "KycStatus", Type: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
		{Name: "KycAttempt", Type: enumspb.INDEXED_VALUE_TYPE_INT},
		{Name: "KycDeadline", Type: enumspb.INDEXED_VALUE_TYPE_DATETIME},
	}
	for i := range all[:n] {
		all[i].Have = all[i].Type
	}
	return all
}

func finds(n int) func(context.Context) ([]ops.SearchAttribute, error) {
	return func(context.Context) ([]ops.SearchAttribute, error) { return attributes(n), nil }
}

func TestSetupRegistersWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, reads := time.Now(), 0
		b := bench{fake: fake{sweepMade: true, setup: finds(1), attributes: func(context.Context) ([]ops.SearchAttribute, error) {
			reads++
			return attributes(reads), nil // one more at each read
		}}}
		require.NoError(t, b.line(t, "setup"))
		assert.Equal(t, `KycStatus Keyword already there
KycAttempt Int registered now
KycDeadline Datetime registered now
kyc~sweep schedule, every 15m0s, made now
queue        calls a second  a minute  set by                              since  why
didit-write  -               -         not set yet: the first worker does  -      -
didit-read   -               -         not set yet: the first worker does  -      -
namespace kyc-test is ready for workers
`, b.out.String())
		assert.Equal(t, 3, reads)
		assert.Equal(t, 2*setupInterval, time.Since(begun))
		assert.Equal(t, 1, b.fake.closed)
	})
}

func TestSetupMayRunTwice(t *testing.T) {
	b := bench{fake: fake{setup: finds(3)}} // nothing was added, so there is nothing to wait for
	require.NoError(t, b.line(t, "setup"))
	assert.Equal(t, 4, strings.Count(b.out.String(), "already there"))
}

func TestSetupFails(t *testing.T) {
	denied := errors.New("permission denied")
	for name, tc := range map[string]struct {
		fake fake
		want string
	}{
		"when it may not register":        {fake{setup: func(context.Context) ([]ops.SearchAttribute, error) { return attributes(1), denied }}, "permission denied"},
		"when it may not make a schedule": {fake{setup: finds(3), sweepError: denied}, "permission denied"},
		"when it may not read":            {fake{setup: finds(1), attributes: func(context.Context) ([]ops.SearchAttribute, error) { return nil, denied }}, "permission denied"},
		"when they never become visible":  {fake{setup: finds(1), attributes: finds(1)}, "namespace kyc-test does not show the new search attributes after 30s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bench{fake: tc.fake}
				require.ErrorContains(t, b.line(t, "setup"), tc.want)
				assert.NotContains(t, b.out.String(), "is ready")
			})
		})
	}
}

func TestSetupCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := bench{fake: fake{sweepMade: true, setup: finds(1), attributes: func(context.Context) ([]ops.SearchAttribute, error) {
			cancel()
			return attributes(1), nil
		}}}
		require.ErrorIs(t, b.run(ctx, "setup"), errInterrupted)
	})
}

func TestSetupShowsTheLimitsAndWhoSetThem(t *testing.T) {
	for name, tc := range map[string]struct {
		limit ops.QueueLimit
		want  string
	}{
		"a worker's":    {ops.QueueLimit{PerSecond: 4.852459, Source: ops.LimitFromServer, SetBy: ops.LimitIdentity, Since: noon, Reason: "300 a minute"}, "4.85 291 didit-temporal-worker 2026-11-23T12:00:00Z 300 a minute"},
		"an operator's": {ops.QueueLimit{PerSecond: 2, Source: ops.LimitFromServer, SetBy: "ops"}, "2.00 120 ops (an operator: workers leave it alone)"},
		"a pause":       {ops.QueueLimit{Source: ops.LimitFromServer, SetBy: "ops", Since: noon, Reason: "Didit asked"}, "paused 0 ops (an operator: workers leave it alone) 2026-11-23T12:00:00Z Didit asked"},
		"no server's":   {ops.QueueLimit{PerSecond: 4.852459, Source: ops.LimitFromWorkers}, "4.85 291 the workers that poll - -"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.limit.Queue = kyc.TaskQueueDiditWrite
			b := bench{fake: fake{setup: finds(3), limits: map[string]ops.QueueLimit{kyc.TaskQueueDiditWrite: tc.limit}}}
			require.NoError(t, b.line(t, "setup"))
			_, after, _ := strings.Cut(b.out.String(), "\ndidit-write ")
			line, _, _ := strings.Cut(after, "\n")
			assert.Equal(t, tc.want, strings.Join(strings.Fields(line), " "))
		})
	}
}

// The commands are those of docs.temporal.io/cloud/tcld/namespace.
func TestAtTemporalCloudSetupPrintsTheCommandsForAnAdministrator(t *testing.T) {
	b := bench{fake: fake{cloud: true, attributes: finds(1), retention: 7 * 24 * time.Hour}}
	err := b.line(t, "setup")
	require.ErrorContains(t, err, "namespace kyc-test lacks search attributes")
	assert.Equal(t, failedTemporal, kindOf(err))
	assert.Equal(t, `KycStatus Keyword already there
KycAttempt Int missing
KycDeadline Datetime missing
closed verifications are kept for 7 days
This is Temporal Cloud, where no client changes a namespace. An administrator of kyc-test runs, after `+"`tcld login`"+`:
  tcld namespace search-attributes add --namespace kyc-test \
    --search-attribute "KycAttempt=Int" \
    --search-attribute "KycDeadline=Datetime"
  tcld namespace retention set --namespace kyc-test --retention-days 30
or adds the same in the Web UI: https://cloud.temporal.io/namespaces, kyc-test, Edit. Then run `+"`starter setup`"+` again.
`, b.out.String())
}

func TestAtTemporalCloudAShortRetentionStopsNoWorker(t *testing.T) {
	b := bench{fake: fake{cloud: true, attributes: finds(3), retention: 24 * time.Hour}}
	require.NoError(t, b.line(t, "setup"))
	assert.Contains(t, b.out.String(), "tcld namespace retention set --namespace kyc-test --retention-days 30")
	assert.NotContains(t, b.out.String(), "search-attributes add")
	assert.Contains(t, b.out.String(), "namespace kyc-test is ready for workers")
}

func TestAtTemporalCloudSetupChecksWhatAnAdministratorHasDone(t *testing.T) {
	b := bench{fake: fake{cloud: true, attributes: finds(3), retention: ops.WantedRetention, sweepMade: true}}
	require.NoError(t, b.line(t, "setup"))
	assert.NotContains(t, b.out.String(), "tcld")
	assert.Contains(t, b.out.String(), "made now")
	assert.Contains(t, b.out.String(), "namespace kyc-test is ready for workers")
}

func TestAtTemporalCloudSetupFindsAnAttributeOfAnotherType(t *testing.T) {
	b := bench{fake: fake{cloud: true, attributes: func(context.Context) ([]ops.SearchAttribute, error) {
		found := attributes(3)
		found[1].Have = enumspb.INDEXED_VALUE_TYPE_TEXT
		return found, nil
	}}}
	require.ErrorContains(t, b.line(t, "setup"), "search attribute KycAttempt of namespace kyc-test has type Text, want Int")
}

func TestWithoutTheRightSetupPrintsTheCommandsForAnAdministrator(t *testing.T) {
	b := bench{fake: fake{setup: func(context.Context) ([]ops.SearchAttribute, error) {
		return attributes(1), fmt.Errorf("register: %w", serviceerror.NewPermissionDenied("no", ""))
	}}}
	err := b.line(t, "setup")
	assert.Equal(t, failedTemporal, kindOf(err))
	assert.Equal(t, `KycStatus Keyword already there
KycAttempt Int missing
KycDeadline Datetime missing
This client may not register search attributes. An administrator of namespace kyc-test runs:
  temporal operator search-attribute create --namespace kyc-test \
    --name KycAttempt --type Int \
    --name KycDeadline --type Datetime
Then run `+"`starter setup`"+` again.
`, b.out.String())
}
