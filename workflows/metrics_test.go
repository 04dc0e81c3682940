package workflows_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/didit"
	"didit-temporal/workflows"
)

// tally is a metrics handler that adds up what is ours.
type tally struct {
	mu     *sync.Mutex
	counts map[string]int64
	times  map[string]time.Duration
	tags   map[string]string
}

func newTally() tally {
	return tally{mu: &sync.Mutex{}, counts: map[string]int64{}, times: map[string]time.Duration{}}
}

func (m tally) WithTags(tags map[string]string) client.MetricsHandler {
	all := maps.Clone(m.tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	m.tags = all
	return m
}

// key names a metric with those of its tags that are ours.
func (m tally) key(name string) string {
	for _, k := range slices.Sorted(maps.Keys(m.tags)) {
		if slices.Contains([]string{"outcome", "reviewed", "found", "changed"}, k) {
			name += " " + k + "=" + m.tags[k]
		}
	}
	return name
}

func (m tally) Counter(name string) client.MetricsCounter { return added{m, m.key(name)} }
func (m tally) Gauge(string) client.MetricsGauge          { return client.MetricsNopHandler.Gauge("") }
func (m tally) Timer(name string) client.MetricsTimer     { return added{m, m.key(name)} }

type added struct {
	tally
	name string
}

func (a added) Inc(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if strings.HasPrefix(a.name, "kyc_") {
		a.counts[a.name] += n
	}
}

func (a added) Record(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if strings.HasPrefix(a.name, "kyc_") {
		a.times[a.name] += d
	}
}

func TestWhatAVerificationCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		story  func(*world)
		counts map[string]int64
		times  map[string]time.Duration
	}{
		"a review, another attempt, approved": {
			func(w *world) {
				w.at(time.Hour, didit.StatusInReview, ev(1, didit.StatusInReview)).
					at(3*time.Hour, didit.StatusResubmitted, ev(2, didit.StatusResubmitted)).
					at(4*time.Hour, didit.StatusInReview, ev(3, didit.StatusInReview)).
					at(5*time.Hour, didit.StatusApproved, ev(4, didit.StatusApproved))
			},
			map[string]int64{
				workflows.MetricReviews: 2, workflows.MetricResubmissions: 1, workflows.MetricOutcomes + " outcome=approved reviewed=yes": 1,
			},
			map[string]time.Duration{
				workflows.MetricReviewTime: 3 * time.Hour, workflows.MetricTimeToOutcome + " outcome=approved": 5 * time.Hour,
			},
		},
		"a webhook is lost": {
			func(w *world) { w.at(time.Minute, didit.StatusDeclined) },
			map[string]int64{workflows.MetricLooks + " found=yes": 1, workflows.MetricOutcomes + " outcome=declined reviewed=no": 1},
			map[string]time.Duration{workflows.MetricTimeToOutcome + " outcome=declined": deadline},
		},
		"nothing happens": {
			func(*world) {},
			map[string]int64{workflows.MetricLooks + " found=no": 1, workflows.MetricOutcomes + " outcome=expired reviewed=no": 1},
			map[string]time.Duration{workflows.MetricTimeToOutcome + " outcome=expired": deadline},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTally()
			w := newWorldOf(t, func(s *testsuite.WorkflowTestSuite) { s.SetMetricsHandler(m) })
			tc.story(w.creates().decides())
			w.run()
			assert.Equal(t, tc.counts, m.counts)
			for name, want := range tc.times {
				assert.InDelta(t, want.Seconds(), m.times[name].Seconds(), 1, name)
			}
		})
	}
}
