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
	lost := ""
	for i, r := range in.Results {
		if kind := undelivered(ctx, sent[i], r); kind != "" {
			lost = kind
			workflow.SetCurrentDetails(ctx, "**A result was not delivered**: the activity's failure says why.")
		}
	}
	tellDelivered(ctx, lost)
	return nil
}

func tellWaiting(ctx workflow.Context, w kyc.WaitingFor) {
	search(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet(string(w)))
}

// tellDelivered ends the wait for the receiver of results; lost is the type of error, if it was in vain.
func tellDelivered(ctx workflow.Context, lost string) {
	changes := []temporal.SearchAttributeUpdate{temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet("")}
	if lost != "" {
		changes = append(changes, errorTypeIs(lost))
	}
	search(ctx, changes...)
}

func search(ctx workflow.Context, changes ...temporal.SearchAttributeUpdate) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, changes...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}
