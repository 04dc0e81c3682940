package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// Delivery is the input of a ResultDelivery: what a run had not delivered when its user came back.
type Delivery struct {
	RunID   string                       `json:"run_id"`
	Results []activities.SendResultInput `json:"results"`
}

// ResultDelivery goes on delivering the results of a verification whose run had to make way for the user's next one.
// Their ids stay those of that run.
func ResultDelivery(ctx workflow.Context, in Delivery) error {
	tellWaiting(ctx, kyc.WaitingForCallback)
	sent := make([]workflow.Future, len(in.Results))
	for i, r := range in.Results {
		r.RunID = in.RunID
		sent[i] = startSending(ctx, r)
	}
	for i, r := range in.Results {
		if undelivered(ctx, sent[i], r) != "" {
			workflow.SetCurrentDetails(ctx, "**A result was not delivered**: the activity's failure says why.")
		}
	}
	tellWaiting(ctx, "")
	return nil
}

func tellWaiting(ctx workflow.Context, w kyc.WaitingFor) {
	err := workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet(string(w)))
	if err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}
