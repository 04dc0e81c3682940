package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Metrics that workflows count. The SDK's handler leaves out what is only replayed, so each thing counts once.
const (
	MetricOutcomes      = "kyc_outcomes"        // verifications that ended; tags outcome, reviewed
	MetricTimeToOutcome = "kyc_time_to_outcome" // from the start of the verification; tag outcome
	MetricReviews       = "kyc_reviews"         // times that a session went to a reviewer
	MetricReviewTime    = "kyc_review_time"     // how long a reviewer took
	MetricReviewsLate   = "kyc_reviews_late"    // looks at a review that has waited for too long
	MetricResubmissions = "kyc_resubmissions"   // times that a user was asked to come back
	MetricLooks         = "kyc_reconcile_looks" // looks at Didit that only a timer asked for; tag found
	MetricUnusable      = "kyc_unusable_reads"  // decisions that could not be used: somebody must look
	MetricChanges       = "kyc_changes"         // news after the end; tag changed
)

// measured is what was counted of a verification so far.
type measured struct {
	status   didit.Status
	attempt  int
	inReview time.Time // since when; zero if no reviewer has it
	reviewed bool
	ended    bool
}

// measure counts what has changed since the last time.
func (v *verification) measure(ctx workflow.Context) {
	m, s, h := &v.measured, v.record.state, workflow.GetMetricsHandler(ctx)
	if m.attempt > 0 && s.Attempt > m.attempt {
		h.Counter(MetricResubmissions).Inc(int64(s.Attempt - m.attempt))
	}
	m.attempt = s.Attempt
	if s.Status != m.status {
		m.status = s.Status
		v.measureReview(ctx)
	}
	v.measureEnd(ctx)
}

// measureReview counts a review that begins or ends with a new status.
func (v *verification) measureReview(ctx workflow.Context) {
	m, s, h := &v.measured, v.record.state, workflow.GetMetricsHandler(ctx)
	switch {
	case s.Status == didit.StatusInReview:
		m.reviewed, m.inReview = true, workflow.Now(ctx)
		h.Counter(MetricReviews).Inc(1)
	case !m.inReview.IsZero():
		h.Timer(MetricReviewTime).Record(workflow.Now(ctx).Sub(m.inReview))
		m.inReview = time.Time{}
	}
}

// measureEnd counts the verification itself, once: when its first outcome is known, not when the last result is delivered.
func (v *verification) measureEnd(ctx workflow.Context) {
	if v.measured.ended || !v.record.ended() {
		return
	}
	v.measured.ended = true
	h := workflow.GetMetricsHandler(ctx).WithTags(map[string]string{"outcome": string(v.record.state.Outcome)})
	h.WithTags(map[string]string{"reviewed": yesNo(v.measured.reviewed)}).Counter(MetricOutcomes).Inc(1)
	h.Timer(MetricTimeToOutcome).Record(workflow.Now(ctx).Sub(workflow.GetInfo(ctx).WorkflowStartTime))
}

// measureLook counts a look at Didit. One that a timer asked for and that found news has found a lost, or late, webhook.
func (v *verification) measureLook(ctx workflow.Context, timer, usable bool, before kyc.State) {
	h := workflow.GetMetricsHandler(ctx)
	if !usable && !v.record.ended() {
		h.Counter(MetricUnusable).Inc(1)
	}
	if v.late {
		h.Counter(MetricReviewsLate).Inc(1)
	}
	if timer {
		found := before.Status != v.record.state.Status || before.Attempt != v.record.state.Attempt
		h.WithTags(map[string]string{"found": yesNo(found)}).Counter(MetricLooks).Inc(1)
	}
}

func measureChange(ctx workflow.Context, r kyc.ChangeResult) {
	workflow.GetMetricsHandler(ctx).WithTags(map[string]string{"changed": yesNo(r.Changed)}).Counter(MetricChanges).Inc(1)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
