package didit

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// CheckStatusUnknown replaces, in Check.Status, a text that cannot be a status of a feature, so that no free text gets into
// a result.
const CheckStatusUnknown = "Unknown"

// blocks are the feature blocks of a decision in the order of the API reference
// (https://docs.didit.me/sessions-api/retrieve-session), with the feature names of Didit's console and flows. A flow calls
// the document OCR, a decision ID_VERIFICATION.
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

// parseDecision requires the id and the status. It skips a block that is missing, null or of another shape: the status
// decides, the checks explain.
func parseDecision(op string, body []byte) (Decision, error) {
	var w struct {
		Decision
		CreatedAt wireTime `json:"created_at"`
		ExpiresAt wireTime `json:"expires_at"`
	}
	if err := decode(op, body, &w); err != nil {
		return Decision{}, err
	}
	d := w.Decision
	switch {
	case !isToken(d.SessionID):
		return Decision{}, badResponse(op, "no usable session_id")
	case d.Status == "":
		return Decision{}, badResponse(op, "no status")
	}
	d.Metadata, d.CreatedAt, d.ExpiresAt = noNull(d.Metadata), w.CreatedAt.Time, w.ExpiresAt.Time
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

// addUnknown adds the blocks of features that are newer than this list, under their key in capitals. A block is
// the only list in a decision whose objects have a node and a status each.
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

// checkStatus keeps a status, or a code, whose words are all in the vocabulary, which identifies no person.
func checkStatus(s string) string {
	if s != "" && len(s) <= maxCheckStatus && knownWords(s) == s {
		return s
	}
	return CheckStatusUnknown
}

// maxCheckStatus is the length of the longest status that is kept.
const maxCheckStatus = 40

// isRiskCode reports whether s is a code such as POSSIBLE_FRAUD, and no free text about a person.
func isRiskCode(s string) bool {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return s != "" && len(s) <= 64 && strings.Trim(s, safe) == ""
}
