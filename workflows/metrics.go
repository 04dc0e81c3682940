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
	MetricReviewsLate   = "kyc_reviews_late"    // polls of a review that has waited for too long
	MetricResubmissions = "kyc_resubmissions"   // times that a user was asked to come back
	MetricPolls         = "kyc_reconcile_looks" // polls of Didit that only a timer asked for; tag found
	MetricUnusable      = "kyc_unusable_reads"  // decisions that could not be used: an operator must act
	MetricChanges       = "kyc_changes"         // late updates; tag changed
)

// measured is what the metrics counted of a verification so far.
type measured struct {
	status   didit.Status
	attempt  int
	inReview time.Time // since when; zero if no reviewer has it
	reviewed bool
	ended    bool
	resumed  kyc.State // of earlier runs, for a run that a late update began
}

// measure counts what has changed since the last time.
func (v *verification) measure(ctx workflow.Context) {
	m, s, h := &v.measured, v.state.State, workflow.GetMetricsHandler(ctx)
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
	m, s, h := &v.measured, v.state.State, workflow.GetMetricsHandler(ctx)
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
	if v.measured.ended || !v.state.ended() {
		return
	}
	v.measured.ended = true
	h := workflow.GetMetricsHandler(ctx).WithTags(map[string]string{"outcome": string(v.state.Outcome)})
	h.WithTags(map[string]string{"reviewed": yesNo(v.measured.reviewed)}).Counter(MetricOutcomes).Inc(1)
	h.Timer(MetricTimeToOutcome).Record(workflow.Now(ctx).Sub(workflow.GetInfo(ctx).WorkflowStartTime))
}

// measurePoll counts a read of Didit's decision. A poll that found a change has found a lost, or late, webhook.
func (v *verification) measurePoll(ctx workflow.Context, polled, usable bool, before kyc.State) {
	h := workflow.GetMetricsHandler(ctx)
	if !usable && !v.state.ended() {
		h.Counter(MetricUnusable).Inc(1)
	}
	if v.state.reviewLate(workflow.Now(ctx)) {
		h.Counter(MetricReviewsLate).Inc(1)
		workflow.GetLogger(ctx).Warn("review is late", "session_id", v.state.SessionID, "since", v.state.UpdatedAt)
	}
	if polled {
		found := before.Status != v.state.Status || before.Attempt != v.state.Attempt
		h.WithTags(map[string]string{"found": yesNo(found)}).Counter(MetricPolls).Inc(1)
	}
}

// measureLateUpdate counts a run that a late update began, at its end.
func (v *verification) measureLateUpdate(ctx workflow.Context) {
	if v.in.Resume {
		changed := !v.state.SameAs(v.measured.resumed)
		workflow.GetMetricsHandler(ctx).WithTags(map[string]string{"changed": yesNo(changed)}).Counter(MetricChanges).Inc(1)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
