package didit

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of APIError.Detail, in characters.
const (
	maxDetail = 200
	maxReason = 80
)

// maxReasonDepth bounds how deep a reason may nest.
const maxReasonDepth = 4

// explain reads code and detail from the shapes of Didit's errors: {"detail": "...", "code": "..."}, {"field": "reason"},
// {"field": ["reason"]}, ["reason"], or no JSON at all (https://docs.didit.me/integration/api-errors).
func explain(body []byte) (code, detail string) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return "", ""
	}
	if m, ok := v.(map[string]any); ok {
		if text, ok := m["code"].(string); ok {
			delete(m, "code")
			if isToken(text) {
				code = knownParts(text)
			}
		}
		if text, ok := m["detail"].(string); ok {
			return code, shorten(knownWords(text), maxDetail)
		}
	}
	return code, shorten(strings.Join(reasons("", v, 0), "; "), maxDetail)
}

// reasons lists "field: reason" in the order of the names. It reads strings only: a number or a nested value could be
// what we sent.
func reasons(name string, v any, depth int) []string {
	if depth > maxReasonDepth {
		return nil
	}
	var all []string
	switch v := v.(type) {
	case string:
		text := shorten(knownWords(v), maxReason)
		if name != "" {
			text = name + ": " + text
		}
		return []string{text}
	case []any:
		for _, item := range v {
			all = append(all, reasons(name, item, depth+1)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, reasons(joinNames(name, key), v[key], depth+1)...)
		}
	}
	return all
}

func joinNames(parent, key string) string {
	if parent == "" || parent == "detail" {
		return knownParts(key)
	}
	return parent + "." + knownParts(key)
}

// shorten cuts s to at most limit characters.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + hiddenWord
}

// vocabulary has the words of Didit's statuses, codes and field names, and those that APIError.Cause reads. Any other word
// of a refusal may be about a person and shows as hiddenWord. It has no number, and no word that identifies a person.
const vocabulary = `
	not started in progress awaiting user review approved declined resubmitted abandoned expired kyc finished resub requested
	pending manual active flagged blocked draft published current status
	contract billing suspended filed report signature document changed credit credits balance payment credentials
	session sessions workflow id number kind vendor data callback language metadata portrait image contact details expected
	new comment nodes node to resubmit feature features send email address deletion instruction retain face embeddings
	retention days list internal delete all numbers label default url enabled webhook version subscribed events password
	code limit offset search country date from detail sign form elements element type`

// hiddenWord stands for words that are not in the vocabulary.
const hiddenWord = "…"

var vocabularyWords = strings.Fields(vocabulary)

// knownWords keeps the words of the vocabulary. One hiddenWord stands for all words between two of them.
func knownWords(s string) string {
	var kept []string
	for word := range strings.FieldsFuncSeq(s, separates) {
		if knownParts(word) != word {
			word = hiddenWord
		}
		if word != hiddenWord || len(kept) == 0 || kept[len(kept)-1] != hiddenWord {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

func separates(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(`.,:;!?()[]{}/\"=&%<>|`, r)
}

// knownParts hides the parts of a name that are not in the vocabulary: contract_billing_suspended, or contract_….
func knownParts(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts {
		if !slices.Contains(vocabularyWords, strings.ToLower(part)) {
			parts[i] = hiddenWord
		}
	}
	return strings.Join(parts, "_")
}
