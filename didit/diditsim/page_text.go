package diditsim

import (
	"strings"

	"didit-temporal/didit"
)

// view is what the page shows at each status. It needs s.mu.
func (x *session) view() view {
	v := view{
		Session: x.Session, Found: true, Offers: offersAt(x.Status), Review: x.Status == didit.StatusInReview,
		Messages: messagesOf(x.Session, x.flow.steps),
	}
	switch x.Status {
	case didit.StatusNotStarted, didit.StatusInProgress:
		v.Title = "Verify your identity"
		v.Text = "Didit asks for a document and a selfie here. Choose a result instead."
	case didit.StatusAwaitingUser:
		v.Title = "Waiting for other people"
		v.Text = "Didit waits for the verification of others, such as the owners of a company."
	case didit.StatusResubmitted:
		v.Title = "Please try again"
		v.Text = "A reviewer asks you to repeat these steps: " + nodeNames(x.resubmit) + "."
	case didit.StatusInReview:
		v.Title = "We are checking your details"
		v.Text = "The user only waits. The decision below is that of a reviewer in Didit’s console."
	case didit.StatusApproved:
		v.Title, v.Tone = "You are verified", "good"
		v.Text = "All done. You can close this page."
	case didit.StatusDeclined:
		v.Title, v.Tone = "We could not verify you", "bad"
		v.Text = "The verification was declined. Ask the service that sent you here what to do next."
	case didit.StatusAbandoned:
		v.Title, v.Tone = "Verification not finished", "bad"
		v.Text = "You left before the end. Ask the service that sent you here for a new link."
	case didit.StatusExpired:
		v.Title, v.Tone = "This link has expired", "bad"
		v.Text = "You did not use it in time. Ask the service that sent you here for a new one."
	case didit.StatusKycExpired:
		v.Title, v.Tone = "Your document has expired", "bad"
		v.Text = "You were verified, but the document is no longer valid. The service that sent you here will ask for a new one."
	}
	if len(v.Offers) == 0 && x.Callback != "" {
		v.BackURL = callbackURL(x.Session)
	}
	return v
}

func nodeNames(nodes []didit.Node) string {
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		names = append(names, n.NodeID)
	}
	return strings.Join(names, ", ")
}
