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
	late := map[string]int64{workflows.MetricOutcomes + " outcome=approved reviewed=no": 1}
	for name, tc := range map[string]struct {
		steps  []step
		counts map[string]int64
		times  map[string]time.Duration
	}{
		"a review, another attempt, approved": {
			moved(inReview, resubmitted, inReview, approved),
			map[string]int64{workflows.MetricReviews: 2, workflows.MetricResubmissions: 1, workflows.MetricOutcomes + " outcome=approved reviewed=yes": 1},
			map[string]time.Duration{workflows.MetricReviewTime: 2 * time.Hour, workflows.MetricTimeToOutcome + " outcome=approved": 4 * time.Hour},
		},
		"a webhook is lost": {
			[]step{loses(time.Minute, declined), waits(2 * deadline)},
			map[string]int64{workflows.MetricPolls + " found=yes": 1, workflows.MetricOutcomes + " outcome=declined reviewed=no": 1},
			map[string]time.Duration{workflows.MetricTimeToOutcome + " outcome=declined": deadline},
		},
		"nothing happens": {
			[]step{waits(2 * deadline)},
			map[string]int64{workflows.MetricPolls + " found=no": 1, workflows.MetricOutcomes + " outcome=expired reviewed=no": 1},
			map[string]time.Duration{workflows.MetricTimeToOutcome + " outcome=expired": deadline},
		},
		"a late update that says something": {moved(approved, declined), with(late, workflows.MetricChanges+" changed=yes"), nil},
		"a late update that says nothing":   {[]step{changes(time.Hour, approved), webhookOnly(2*time.Hour, approved)}, with(late, workflows.MetricChanges+" changed=no"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTally()
			l := newLife(t, patient)
			l.metrics = m
			l.follow(append([]step{start(nil)}, tc.steps...)...)
			assert.Equal(t, tc.counts, m.counts)
			for name, want := range tc.times {
				assert.InDelta(t, want.Seconds(), m.times[name].Seconds(), 1, name)
			}
		})
	}
}

func with(counts map[string]int64, one string) map[string]int64 {
	counts = maps.Clone(counts)
	counts[one] = 1
	return counts
}
