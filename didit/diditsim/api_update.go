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
	NodesToResubmit []didit.Node `json:"nodes_to_resubmit"`
	SendEmail       bool         `json:"send_email"`
	EmailAddress    string       `json:"email_address"`
}

// updateStatus is PATCH /v3/session/{id}/update-status/. The current status is judged before the body, as documented.
// The rule for steps that need no person (once in 30 s) is left out, because a simulated flow has no such step.
func (s *Server) updateStatus(r *http.Request, body []byte) answer {
	if no := s.refuse(r); no != nil {
		return *no
	}
	x, no := s.find(r)
	if no != nil {
		return *no
	}
	if !slices.Contains(reviewableStatuses, x.Status) {
		return *detail(http.StatusBadRequest, "Wrong Current Status")
	}
	var b updateBody
	if no := decode(body, &b); no != nil {
		return *no
	}
	if no := checkUpdate(x, b); no != nil {
		return *no
	}
	if b.NewStatus != x.Status { // Approved or Declined once more: nothing happens, no webhook
		x.note(actorAPI, b.NewStatus, b.Comment, s.opts.Now())
		s.move(x, b.NewStatus, review{comment: b.Comment, nodes: b.NodesToResubmit})
	}
	return answer{http.StatusOK, map[string]string{"session_id": x.ID}}
}

// checkUpdate refuses what Didit refuses. Only the last two texts are documented.
func checkUpdate(x *session, b updateBody) *answer {
	switch b.NewStatus {
	case didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted:
	default:
		return invalid("new_status", "Not a valid choice.")
	}
	if b.SendEmail && b.EmailAddress == "" {
		return invalid("email_address", "This field is required with send_email.")
	}
	if b.NewStatus != didit.StatusResubmitted {
		return nil
	}
	switch {
	case slices.ContainsFunc(b.NodesToResubmit, func(n didit.Node) bool { return !hasStep(n.NodeID) }):
		return invalid("nodes_to_resubmit", "Node not found.")
	case x.Status == didit.StatusResubmitted:
		return detail(http.StatusBadRequest, "The new status is the same as the current status.")
	case len(b.NodesToResubmit) == 0 && len(x.unfinished()) == 0:
		return detail(http.StatusBadRequest, "No features found that need resubmission")
	}
	return nil
}
