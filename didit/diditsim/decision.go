package diditsim

import (
	"net/http"
	"slices"

	"didit-temporal/didit"
)

// step is one step of the simulated flow.
type step struct {
	nodeID  string
	feature string // in a decision
	short   string // in nodes_to_resubmit
	block   string
	data    map[string]any // invented personal data and scores, as a real decision would hold
}

// steps are the flow of every session. The names of the nodes are made after those in Didit's docs.
var steps = [...]step{
	{"feature_ocr_1", "ID_VERIFICATION", "OCR", "id_verifications", map[string]any{
		"document_type": "Passport", "issuing_state": "UTO", "document_number": "SIM000001", "personal_number": "SIM-0-0",
		"first_name": "Simulína", "last_name": "Specimen-Müster", "date_of_birth": "1900-01-01", "gender": "U",
		"address": "1 Invented Street, Nowhere <Utopia>", "expiration_date": "2099-12-31", "mrz": "P<UTOSPECIMEN<<SIMULINA",
		"portrait_image": "https://media.example/portrait?sig=invented",
	}},
	{"feature_liveness_1", "LIVENESS", "LIVENESS", "liveness_checks", map[string]any{
		"method": "PASSIVE", "score": 95.4, "reference_image": "https://media.example/selfie?sig=invented",
	}},
	{"feature_face_1", "FACE_MATCH", "FACE_MATCH", "face_matches", map[string]any{
		"score": 88.0, "source_image": "https://media.example/face?sig=invented", // a whole float, written as 88
	}},
}

// otherBlocks are those of features that the flow does not have; they stay null.
var otherBlocks = [...]string{
	"nfc_verifications", "poa_verifications", "document_ai_documents", "phone_verifications", "email_verifications",
	"aml_screenings", "ip_analyses", "database_validations", "questionnaire_responses",
}

func (p *step) node() didit.Node { return didit.Node{NodeID: p.nodeID, Feature: p.short} }

func hasStep(nodeID string) bool {
	return slices.ContainsFunc(steps[:], func(p step) bool { return p.nodeID == nodeID })
}

// status is that of the step in a session, empty if the step has not run. It follows from the session's: the
// document is what fails, is doubted, expires or is never finished.
func (p *step) status(x *session) string {
	document := p.nodeID == steps[0].nodeID
	switch x.Status {
	case didit.StatusNotStarted, didit.StatusExpired:
		return ""
	case didit.StatusInProgress, didit.StatusAwaitingUser, didit.StatusAbandoned:
		if document {
			return "Not Finished"
		}
		return ""
	case didit.StatusResubmitted:
		if slices.ContainsFunc(x.resubmit, func(n didit.Node) bool { return n.NodeID == p.nodeID }) {
			return "Not Finished"
		}
	case didit.StatusDeclined, didit.StatusInReview:
		if document {
			return string(x.Status)
		}
	case didit.StatusKycExpired:
		if document {
			return "Expired"
		}
	}
	return "Approved"
}

// unfinished are the steps that a resubmission without a choice repeats.
func (x *session) unfinished() []didit.Node {
	var nodes []didit.Node
	for i := range steps {
		if st := steps[i].status(x); st != "" && st != "Approved" {
			nodes = append(nodes, steps[i].node())
		}
	}
	return nodes
}

// decision is GET /v3/session/{id}/decision/ (https://docs.didit.me/sessions-api/retrieve-session). An unknown session
// is a 404 with or without a key: Didit looks it up before it checks the key.
func (s *Server) decision(r *http.Request, _ []byte) answer {
	x, no := s.find(r)
	if no != nil {
		return *no
	}
	if no := s.refuse(r); no != nil {
		return *no
	}
	return answer{http.StatusOK, s.decisionOf(x)}
}

// decisionOf is the decision as it stands now, for the endpoint and for webhooks. It needs s.mu.
func (s *Server) decisionOf(x *session) map[string]any {
	d := map[string]any{
		"session_id":       x.ID,
		"session_kind":     "user",
		"session_number":   x.Number,
		"session_url":      x.URL,
		"status":           x.Status,
		"workflow_id":      x.WorkflowID,
		"vendor_data":      textOrNull(x.VendorData),
		"metadata":         rawOrNull(x.Metadata),
		"expected_details": nil,
		"contact_details":  nil,
		"callback":         textOrNull(x.Callback),
		"created_at":       isoTime(x.CreatedAt),
		"expires_at":       isoTime(x.ExpiresAt),
		"environment":      s.opts.Environment,
		"reviews":          x.inDecision(),
	}
	for _, key := range otherBlocks {
		d[key] = nil
	}
	features := make([]string, 0, len(steps))
	for i := range steps {
		features = append(features, steps[i].feature)
		d[steps[i].block] = steps[i].results(x)
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

// warnings says why a step is not approved. The texts quote the invented person, as real ones may.
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
	return []any{map[string]any{
		"feature": p.feature, "risk": risk, "log_type": kind, "node_id": p.nodeID, "additional_data": nil,
		"short_description": "Invented warning",
		"long_description":  "The document of Simulína Specimen-Müster is not in order, says the simulation.",
	}}
}
