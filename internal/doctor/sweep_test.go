package doctor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func TestSweepsAreJudgedByTheirLastRun(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, tc := range map[string]struct {
		sweeps ops.Sweeps
		want   Status
		found  string
	}{
		"new":        {ops.Sweeps{Since: ago(time.Minute)}, OK, "the first one has not started yet"},
		"never ran":  {ops.Sweeps{Since: ago(2 * time.Hour)}, Failed, "the last one started 2h0m0s ago"},
		"fresh":      {ops.Sweeps{Since: ago(9 * time.Hour), Last: ago(5 * time.Minute)}, OK, "the last one started 5m0s ago"},
		"old":        {ops.Sweeps{Since: ago(9 * time.Hour), Last: ago(2 * time.Hour)}, Failed, "the last one started 2h0m0s ago"},
		"paused":     {ops.Sweeps{Paused: true, Note: "CASE-7", Last: ago(2 * time.Hour)}, Warning, "paused: CASE-7"},
		"unreadable": {ops.Sweeps{Last: ago(time.Minute), Result: kyc.SweepResult{State: kyc.SweepUnreadable, ErrorType: kyc.ErrorTypeUnauthorized}}, Warning, "Didit shows this key no deliveries (DiditUnauthorized)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := judgeSweeps(tc.sweeps, now)
			require.Equal(t, tc.want, f.Status)
			require.Equal(t, tc.found, f.Found)
			require.Equal(t, tc.want == OK, f.Fix == "", "what is not well says what to do")
		})
	}
}
