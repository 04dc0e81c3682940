package diditsim

import (
	"strings"

	"didit-temporal/didit"
)

// pageText is what the page shows at a status. Tone is the colour of the status: good, bad or empty.
type pageText struct{ Title, Text, Tone string }

var verifyText = pageText{"Verify your identity", "Didit asks for a document and a selfie here. Choose a result instead.", ""}

var pageTexts = map[didit.Status]pageText{
	didit.StatusNotStarted:   verifyText,
	didit.StatusInProgress:   verifyText,
	didit.StatusAwaitingUser: {"Waiting for other people", "Didit waits for the verification of others, such as the owners of a company.", ""},
	didit.StatusResubmitted:  {"Please try again", "A reviewer asks you to repeat these steps: ", ""}, // view adds the steps
	didit.StatusInReview: {
		"We are checking your details", "The user waits for the decision. The buttons below are those of a reviewer in Didit’s console.", "",
	},
	didit.StatusApproved: {"You are verified", "All done. You can close this page.", "good"},
	didit.StatusDeclined: {
		"We could not verify you", "The verification was declined. Ask the service that sent you here what to do next.", "bad",
	},
	didit.StatusAbandoned: {
		"Verification not finished", "You left before the end. Ask the service that sent you here for a new link.", "bad",
	},
	didit.StatusExpired: {
		"This link has expired", "You did not use it in time. Ask the service that sent you here for a new one.", "bad",
	},
	didit.StatusKycExpired: {
		"Your document has expired",
		"You were verified, but the document is no longer valid. The service that sent you here will ask for a new one.", "bad",
	},
}

// view is what the page shows of a session. It needs s.mu.
func (x *session) view() view {
	v := view{
		Session: x.Session, pageText: pageTexts[x.Status], Offers: offersAt(x.Status),
		Review: x.Status == didit.StatusInReview, Messages: messagesOf(x.Session, x.flow.steps),
	}
	if x.Status == didit.StatusResubmitted {
		v.Text += nodeNames(x.resubmit) + "."
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
