package kyc

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ResultType is what a result reports.
type ResultType string

// The types of results.
const (
	ResultCompleted   ResultType = "verification.completed"   // the verification ended, with any outcome but failed
	ResultFailed      ResultType = "verification.failed"      // no session could be made: State.ErrorType says why
	ResultInReview    ResultType = "verification.in_review"   // a reviewer must decide
	ResultResubmitted ResultType = "verification.resubmitted" // the user must come back, at the same URL
	// ResultChanged corrects an outcome that was reported before, or may have been.
	ResultChanged ResultType = "verification.changed"
)

// Result is the body of a callback to RESULT_URL, signed as in https://www.standardwebhooks.com. An endpoint must ignore
// unknown fields.
type Result struct {
	Type ResultType `json:"type"`
	// Timestamp is when the workflow noticed the change; it is the same in every try. Order results by Data.UpdatedAt.
	Timestamp time.Time `json:"timestamp"`
	Data      State     `json:"data"`
}

// resultNamespace is the UUIDv5 namespace of results. It must never change: endpoints store ids.
var resultNamespace = uuid.MustParse("7b1f6a52-52a5-5c0e-8f6a-1b6d1d0c9a3e")

// ResultID is the webhook-id of a result, the same in every try: a UUIDv5 over the run before any reset, a number that
// grows with the changes of state in it, and what it reports, so that a reset run cannot give another result the id of an
// earlier one.
func ResultID(runID string, sequence int, s State) string {
	return uuid.NewSHA1(resultNamespace, fmt.Appendf(nil, "%s/%d/%s/%s/%s/%d", runID, sequence, s.SessionID, s.Status, s.Outcome, s.Attempt)).String()
}
