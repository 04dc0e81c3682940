package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"didit-temporal/activities"
	"didit-temporal/workflows"
)

// What this package counts itself. What workflows and activities count has its name there.
const (
	nameDeliveries = "kyc_webhook_deliveries_total"
	nameAcks       = "kyc_webhook_ack_seconds"
	nameRepeats    = "kyc_webhook_repeats_total"
	nameMisrouted  = "kyc_webhook_misrouted_total"

	nameCalls     = "kyc_didit_calls_total"
	nameCallTimes = "kyc_didit_call_seconds"

	nameRequests = "kyc_api_request_seconds"
	nameGuesses  = "kyc_codec_guesses_total"

	nameBacklog    = "kyc_queue_backlog"
	nameOldest     = "kyc_queue_oldest_seconds"
	nameETA        = "kyc_queue_eta_seconds"
	nameLimit      = "kyc_queue_limit_per_second"
	nameDispatched = "kyc_queue_dispatched_per_second"
	namePaused     = "kyc_queue_paused"
	nameByOperator = "kyc_queue_limit_by_operator"
	namePollers    = "kyc_queue_pollers"

	nameBuild    = "kyc_build_info"
	nameSettings = "kyc_settings_info"

	nameOpen         = "kyc_open_verifications"
	nameWaiting      = "kyc_waiting_verifications"
	nameSampleErrors = "kyc_sample_errors_total"
)

// help says what each metric means; it is the list of all that are ours, as Prometheus sees them.
var help = map[string]string{
	nameDeliveries: "Webhooks that were answered, by result.",
	nameAcks:       "Time to answer a webhook that Didit has signed; it hangs up after 5 s.",
	nameMisrouted:  "Requests to the webhook's port that were no webhooks, by reason.",
	nameRepeats: "Webhooks whose event is among the last few thousand of this process. Temporal drops repeats and does not report them, " +
		"so repeats that another process took are not counted.",
	nameCalls:     "Calls to Didit, by limit (read, write), operation and HTTP status; code none is no answer.",
	nameCallTimes: "Time of a call to Didit.",

	nameRequests: "Time to answer a request of the HTTP API; one with ?wait takes up to that long.",

	nameGuesses: "Wrong tokens at the codec server; slowed=yes were not compared, for their sender had tried too many.",

	nameBacklog:    "Tasks that wait in a task queue, by priority (interactive, bulk, look: polls of Didit, other).",
	nameOldest:     "How long the oldest task of a queue has waited.",
	nameETA:        "Estimated wait of a call that is queued now; absent while the queue is paused.",
	nameLimit:      "The limit in force on a queue, in calls per second; absent where there is none.",
	nameDispatched: "Tasks dispatched per second, over the last half minute.",
	namePaused:     "1 while a queue dispatches nothing because its limit is 0.",
	nameByOperator: "1 while a limit is in force that an operator has set.",
	namePollers:    "Pollers that polled a queue lately, as the server reports.",

	nameBuild:    "Always 1; its labels name the build.",
	nameSettings: "Always 1; its labels say how the process is set: nothing secret, of secrets a short fingerprint. `starter doctor` compares them.",

	nameOpen:         "Open verifications by Didit's status.",
	nameWaiting:      "Open verifications by what they wait for, and by how long ago they began at least.",
	nameSampleErrors: "Samples of queues and verifications that Temporal did not answer.",

	workflows.MetricOutcomes + "_total":        "Verifications that ended, by outcome, and whether a reviewer had them.",
	workflows.MetricTimeToOutcome + "_seconds": "Time from the start of a verification to its outcome.",
	workflows.MetricReviews + "_total":         "Times that a session went to a reviewer.",
	workflows.MetricReviewTime + "_seconds":    "How long reviewers took.",
	workflows.MetricReviewsLate + "_total":     "Polls of reviews that have waited for more than three days.",
	workflows.MetricResubmissions + "_total":   "Resubmissions that Didit requested of users.",
	workflows.MetricPolls + "_total":           "Polls of Didit that a timer started; found=yes means that a webhook was lost or late.",
	workflows.MetricUnusable + "_total":        "Decisions of Didit that could not be used: foreign, gone, or in unknown words.",
	workflows.MetricChanges + "_total":         "Late updates: events about sessions whose verification had ended.",
	workflows.MetricSweeps + "_total":          "Sweeps of Didit's deliveries that ended, by state (done, partial, unreadable).",
	workflows.MetricSweepFound + "_total":      "Events that a sweep found undelivered and delivered, by result.",
	workflows.MetricSweepLate + "_seconds":     "Time from an event to its delivery by a sweep.",
	activities.MetricHeldBack + "_total":       "Calls to Didit that were put back unsent, after a 429.",
	activities.MetricDelayedTasks + "_total":   "Tasks that reached the worker too late for their place in the rate limit and were put back.",
}

func about(name string) prometheus.Opts { return prometheus.Opts{Name: name, Help: help[name]} }

// Buckets, in seconds: of what machines do, and of what people do.
var (
	quick = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 3.5, 5, 10, 20}
	slow  = []float64{60, 120, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 8 * 24 * 3600, 30 * 24 * 3600}
)

// buckets of a timer of the SDK's handler.
func buckets(timer string) []float64 {
	switch timer {
	case workflows.MetricTimeToOutcome, workflows.MetricReviewTime, workflows.MetricSweepLate, "temporal_workflow_endtoend_latency":
		return slow
	}
	return quick
}

func histogram(name string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help[name], Buckets: buckets}, labels)
}
