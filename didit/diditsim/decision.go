package diditsim

import (
	"net/http"
	"slices"

	"didit-temporal/didit"
)

func (p *step) node() didit.Node { return didit.Node{NodeID: p.nodeID, Feature: p.short} }

// status is that of the step in a session, empty if the step has not run. It follows from the session's status: one step,
// the first unless monitoring has a finding, fails, is in review, expires or is not finished.
func (p *step) status(x *session) string {
	failing := p == x.failing
	switch x.Status {
	case didit.StatusNotStarted, didit.StatusExpired:
		return ""
	case didit.StatusInProgress, didit.StatusAwaitingUser, didit.StatusAbandoned:
		if p == x.flow.steps[0] {
			return "Not Finished"
		}
		return ""
	case didit.StatusResubmitted:
		if slices.ContainsFunc(x.resubmit, func(n didit.Node) bool { return n.NodeID == p.nodeID }) {
			if p.nodeID == featureAML {
				return "Resub Requested"
			}
			return "Not Finished"
		}
	case didit.StatusDeclined, didit.StatusInReview:
		if failing {
			return string(x.Status)
		}
	case didit.StatusKycExpired:
		if failing {
			return "Expired"
		}
	}
	return "Approved"
}

// has reports whether the session's flow has a step, and the step has run.
func (x *session) has(feature string) bool {
	p := x.flow.step(feature)
	return p != nil && p.status(x) != ""
}

// unfinished are the steps that a resubmission without a choice repeats.
func (x *session) unfinished() []didit.Node {
	var nodes []didit.Node
	for _, p := range x.flow.steps {
		if st := p.status(x); st != "" && st != "Approved" && p.repeatable() {
			nodes = append(nodes, p.node())
		}
	}
	return nodes
}

// decision is GET /v3/session/{id}/decision/ (https://docs.didit.me/sessions-api/retrieve-session). An unknown session
// is a 404 with or without a key: Didit finds it before it checks the key.
func (s *Server) decision(_ *Server, r *http.Request, _ []byte) *answer {
	x := s.sessionOf(s.appOf(r), r)
	if x == nil {
		return notFound()
	}
	if no := s.refuse(r); no != nil {
		return no
	}
	return ok(s.decisionOf(x))
}

// decisionOf is the decision as it stands now, for the endpoint and for webhooks. It needs s.mu.
func (s *Server) decisionOf(x *session) map[string]any {
	d := map[string]any{
		"session_id":       x.ID,
		"session_kind":     x.flow.kind(),
		"session_number":   x.Number,
		"session_url":      x.URL,
		"status":           x.Status,
		"workflow_id":      x.WorkflowID,
		"vendor_data":      orNull(x.VendorData),
		"metadata":         orNull(x.Metadata),
		"expected_details": nil,
		"contact_details":  nil,
		"callback":         orNull(x.Callback),
		"created_at":       isoTime(x.CreatedAt),
		"expires_at":       isoTime(x.ExpiresAt),
		"environment":      s.opts.Environment,
		"reviews":          x.inDecision(),
	}
	for _, key := range blocks {
		d[key] = nil
	}
	features := make([]string, 0, len(x.flow.steps))
	for _, p := range x.flow.steps {
		features = append(features, p.feature)
		d[p.block] = p.results(x)
	}
	d["features"] = features
	return d
}

// results is the block of a step: null until it has run.
func (p *step) results(x *session) any {
	status := p.status(x)
	if status == "" {
		return nil
	}
	item := map[string]any{"node_id": p.nodeID, "status": status, "warnings": p.warnings(status)}
	if status != "Not Finished" {
		for k, v := range p.data {
			item[k] = v
		}
	}
	return []any{item}
}

// warnings are why a step is not approved. The texts quote the invented person, as real ones may.
func (p *step) warnings(status string) []any {
	var risk, kind string
	switch status {
	case "Declined", "Expired":
		risk, kind = "DOCUMENT_EXPIRED", "error"
	case "In Review":
		risk, kind = "POSSIBLE_FRAUD", "warning"
	default:
		return []any{}
	}
	if p.nodeID == featureAML {
		risk = "AML_HIT"
	}
	return []any{map[string]any{
		"feature": p.feature, "risk": risk, "log_type": kind, "node_id": p.nodeID, "additional_data": nil,
		"short_description": "Invented warning",
		"long_description":  "The document of Simulína Specimen-Müster is not in order, says the simulation.",
	}}
}
