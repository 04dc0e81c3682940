package diditsim

import (
	"net/http"
	"slices"

	"didit-temporal/didit"
)

// reviewableStatuses are those that the API may change (https://docs.didit.me/sessions-api/update-status).
var reviewableStatuses = []didit.Status{
	didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusKycExpired, didit.StatusAbandoned,
	didit.StatusResubmitted,
}

// updateBody is the body of an update.
type updateBody struct {
	NewStatus       didit.Status `json:"new_status"`
	Comment         string       `json:"comment"`
	NodesToResubmit []node       `json:"nodes_to_resubmit"`
	SendEmail       bool         `json:"send_email"`
	EmailAddress    string       `json:"email_address"`
}

// updateStatus is PATCH /v3/session/{id}/update-status/. It checks the current status before the body, as documented.
// The rule for steps without the user (once in 30 s) is left out.
func (s *Server) updateStatus(x *session, _ *http.Request, body []byte) *answer {
	if !slices.Contains(reviewableStatuses, x.Status) {
		return detail(http.StatusBadRequest, "Wrong Current Status")
	}
	var b updateBody
	if no := decode(body, &b); no != nil {
		return no
	}
	if no := checkUpdate(x, b); no != nil {
		return no
	}
	if b.NewStatus != x.Status { // Approved or Declined once more: nothing happens, no webhook
		x.note(actorAPI, b.NewStatus, b.Comment, s.opts.Now())
		s.move(x, b.NewStatus, review{comment: b.Comment, nodes: x.named(b.NodesToResubmit)})
	}
	return ok(map[string]string{"session_id": x.ID})
}

// checkUpdate refuses what Didit refuses. Only the last two texts are documented.
func checkUpdate(x *session, b updateBody) *answer {
	switch b.NewStatus {
	case didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted:
	default:
		return invalid("new_status", notAChoice(string(b.NewStatus)))
	}
	if b.SendEmail && b.EmailAddress == "" {
		return invalid("email_address", "This field is required with send_email.")
	}
	if b.NewStatus != didit.StatusResubmitted {
		return nil
	}
	switch {
	case slices.ContainsFunc(b.NodesToResubmit, func(n node) bool { return x.flow.step(n.NodeID) == nil }):
		return invalid("nodes_to_resubmit", map[string][]string{"node_id": {"Node not found."}})
	case slices.ContainsFunc(b.NodesToResubmit, func(n node) bool { return !x.flow.step(n.NodeID).repeatable() }):
		return invalid("nodes_to_resubmit", map[string][]string{"feature": {"This feature cannot be resubmitted."}})
	case x.Status == didit.StatusResubmitted:
		return detail(http.StatusBadRequest, "The new status is the same as the current status.")
	case len(b.NodesToResubmit) == 0 && len(x.unfinished()) == 0:
		return detail(http.StatusBadRequest, "No features found that need resubmission")
	}
	return nil
}

// named adds the features to nodes that have only an id.
func (x *session) named(nodes []node) []didit.Node {
	var all []didit.Node
	for _, n := range nodes {
		all = append(all, x.flow.step(n.NodeID).node())
	}
	return all
}

// correct is PATCH /v3/session/{id}/update-data/ and .../update-poa-data/: a reviewer's corrections of a step. It ignores the
// values.
func (s *Server) correct(feature string) handler[*session] {
	return decoded(func(x *session, _ *http.Request, _ map[string]any) *answer {
		if !x.has(feature) {
			return detail(http.StatusBadRequest, "The session has no such data.")
		}
		s.announce(x, didit.EventDataUpdated, "")
		return ok(map[string]string{"session_id": x.ID})
	})
}

// report is GET /v3/session/{id}/generate-pdf, with its slash or without: a PDF of a session that is decided.
func report(x *session, _ *http.Request, _ []byte) *answer {
	switch x.Status {
	case didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusKycExpired:
		return ok(rawBody{"application/pdf", "%PDF-1.4\n% simulated\n%%EOF\n"})
	}
	return detail(http.StatusForbidden, "The session has no report yet.")
}
