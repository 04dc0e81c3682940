package diditsim

import (
	"strings"

	"didit-temporal/didit"
)

// view says what a person sees at each status. It needs s.mu.
func (x *session) view() view {
	v := view{
		Session: x.Session, Found: true, Offers: offersAt(x.Status), Review: x.Status == didit.StatusInReview,
		Messages: messagesOf(x.Session, x.flow.steps),
	}
	switch x.Status {
	case didit.StatusNotStarted, didit.StatusInProgress:
		v.Title = "Verify your identity"
		v.Text = "Here Didit would ask for a document and a selfie. Choose how it ends instead."
	case didit.StatusAwaitingUser:
		v.Title = "Waiting for other people"
		v.Text = "Didit would wait for the verification of others, such as the owners of a company."
	case didit.StatusResubmitted:
		v.Title = "Please try again"
		v.Text = "A reviewer asks for these steps once more: " + nodeNames(x.resubmit) + "."
	case didit.StatusInReview:
		v.Title = "We are checking your details"
		v.Text = "The person has nothing to do but wait. The decision below is the reviewer’s, who works in Didit’s console."
	case didit.StatusApproved:
		v.Title, v.Tone = "You are verified", "good"
		v.Text = "All done. You can close this page and go on where you came from."
	case didit.StatusDeclined:
		v.Title, v.Tone = "We could not verify you", "bad"
		v.Text = "The verification was declined. The service that sent you here can say what to do next."
	case didit.StatusAbandoned:
		v.Title, v.Tone = "Verification not finished", "bad"
		v.Text = "It was left before the end. Ask the service that sent you here for a new link."
	case didit.StatusExpired:
		v.Title, v.Tone = "This link has expired", "bad"
		v.Text = "It was not used in time. Ask the service that sent you here for a new one."
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
