package didit

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// CheckStatusUnknown stands in Check.Status for a text that cannot be a status of a feature, so that no free text gets
// into a result.
const CheckStatusUnknown = "Unknown"

// blocks are the feature blocks of a decision in the order of the API reference
// (https://docs.didit.me/sessions-api/retrieve-session), with the names of features that Didit's console and flows have. Of
// the document a flow says OCR, a decision ID_VERIFICATION.
var blocks = [...]block{
	{"id_verifications", "ID_VERIFICATION"},
	{"nfc_verifications", "NFC"},
	{"liveness_checks", "LIVENESS"},
	{"age_estimations", "AGE_ESTIMATION"},
	{"face_matches", "FACE_MATCH"},
	{"poa_verifications", "PROOF_OF_ADDRESS"},
	{"document_ai_documents", "DOCUMENT_AI"},
	{"phone_verifications", "PHONE_VERIFICATION"},
	{"email_verifications", "EMAIL_VERIFICATION"},
	{"aml_screenings", "AML"},
	{"ip_analyses", "IP_ANALYSIS"},
	{"database_validations", "DATABASE_VALIDATION"},
	{"questionnaire_responses", "QUESTIONNAIRE"},
	{"registry_checks", "KYB_REGISTRY"},
	{"key_people_checks", "KYB_KEY_PEOPLE"},
	{"document_verifications", "KYB_DOCUMENTS"},
}

// block is the key of a block and the name of its feature.
type block struct{ key, feature string }

// blockItem is what we read of one entry of a block.
type blockItem struct {
	NodeID   string `json:"node_id"`
	Status   string `json:"status"`
	Warnings []struct {
		Risk string `json:"risk"`
	} `json:"warnings"`
}

// parseDecision insists on the id and the status. A block that is missing, null or of another shape is passed over:
// the status decides, the checks explain.
func parseDecision(op string, body []byte) (Decision, error) {
	var w struct {
		SessionID   string          `json:"session_id"`
		SessionURL  string          `json:"session_url"`
		Status      Status          `json:"status"`
		WorkflowID  string          `json:"workflow_id"`
		VendorData  string          `json:"vendor_data"`
		Environment Environment     `json:"environment"`
		Metadata    json.RawMessage `json:"metadata"`
		CreatedAt   string          `json:"created_at"`
		ExpiresAt   string          `json:"expires_at"`
	}
	if err := decode(op, body, &w); err != nil {
		return Decision{}, err
	}
	switch {
	case !isToken(w.SessionID):
		return Decision{}, badResponse(op, "no usable session_id")
	case w.Status == "":
		return Decision{}, badResponse(op, "no status")
	}
	d := Decision{
		SessionID: w.SessionID, SessionURL: w.SessionURL, Status: w.Status, WorkflowID: w.WorkflowID,
		VendorData: w.VendorData, Environment: w.Environment, Metadata: noNull(w.Metadata),
		CreatedAt: parseTime(w.CreatedAt), ExpiresAt: parseTime(w.ExpiresAt),
	}
	var all map[string]json.RawMessage
	if err := decode(op, body, &all); err != nil {
		return Decision{}, err
	}
	for _, b := range blocks {
		var items []blockItem
		if raw := noNull(all[b.key]); len(raw) > 0 && decode(op, raw, &items) == nil {
			d.add(b.feature, items)
		}
	}
	d.addUnknown(all)
	slices.Sort(d.Warnings)
	d.Warnings = slices.Compact(d.Warnings)
	return d, nil
}

func (d *Decision) add(feature string, items []blockItem) {
	for _, item := range items {
		d.Checks = append(d.Checks, Check{Feature: feature, Status: checkStatus(item.Status)})
		for _, w := range item.Warnings {
			if isRiskCode(w.Risk) {
				d.Warnings = append(d.Warnings, w.Risk)
			}
		}
	}
}

// addUnknown adds the blocks of features that are newer than this list, under their key in capitals. A block is a list
// of objects that have a node and a status each, which nothing else in a decision is.
func (d *Decision) addUnknown(all map[string]json.RawMessage) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		feature := strings.ToUpper(key)
		known := slices.ContainsFunc(blocks[:], func(b block) bool { return b.key == key })
		var items []blockItem
		if known || !isRiskCode(feature) || json.Unmarshal(all[key], &items) != nil {
			continue
		}
		if !slices.ContainsFunc(items, func(i blockItem) bool { return i.NodeID == "" || i.Status == "" }) {
			d.add(feature, items)
		}
	}
}

// checkStatus lets through the statuses of a feature that Didit's pages name; of others, those whose words are all in
// the vocabulary, which names no person.
func checkStatus(s string) string {
	switch s {
	case "Not Started", "Not Finished", "Approved", "Declined", "In Review", "Expired", "Resub Requested":
		return s
	}
	words, code := knownOnly(s) == s && s == oneLine(s), isRiskCode(s) && knownParts(s) == s
	if s != "" && len(s) <= maxCheckStatus && (words || code) {
		return s
	}
	return CheckStatusUnknown
}

// maxCheckStatus is the length of the longest status that is not known.
const maxCheckStatus = 40

// isRiskCode tells a code such as POSSIBLE_FRAUD from free text about a person.
func isRiskCode(s string) bool {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return s != "" && len(s) <= 64 && strings.Trim(s, safe) == ""
}
