package scan

import (
	"net/http"
	"slices"
	"strings"

	"didit-temporal/didit/diditsim"
)

// kept are the fields that the system works with. Every other text in what Didit sends becomes a marker.
var kept = map[string]bool{
	"session_id": true, "session_token": true, "session_url": true, "url": true, "status": true, "workflow_id": true, "vendor_data": true,
	"metadata": true, "created_at": true, "expires_at": true, "environment": true, "callback": true, "new_status": true, "next": true,
	"previous": true, "event_id": true, "webhook_type": true, "session_kind": true, "uuid": true, "risk": true, "temporal_run_id": true, "kyc_deployment": true,
	"actor_type": true, "activity_type": true, "log_type": true, "previous_status": true,
}

// foreignUser is the one whose decision and webhooks are about another user.
const foreignUser = "foreign"

// mark plants markers in every field of an answer or a webhook.
func mark(what string, body map[string]any) {
	switch what {
	case diditsim.EndpointDecision, diditsim.EditWebhook, diditsim.EndpointList, diditsim.EndpointReviews, diditsim.EndpointCreate,
		diditsim.EndpointUpdateStatus, diditsim.EndpointDelete:
	default:
		body["extra"] = marker("extra")
		return
	}
	replace(body)
	if _, ok := body["session_id"]; ok {
		fill(body)
	}
	if d, ok := body["decision"].(map[string]any); ok {
		fill(d)
	}
	if body["vendor_data"] == foreignUser && what == diditsim.EndpointDecision {
		body["vendor_data"], body["workflow_id"], body["metadata"] = markedEmail, marker("vendor"), map[string]any{"user": marker("user")}
	}
}

// replace goes down a value. A comment of an operator of ours stays: the system looks for it.
func replace(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			text, isText := item.(string)
			switch {
			case !isText:
				if key != "features" {
					replace(item)
				}
			case kept[key], key == "comment" && strings.HasPrefix(text, actor):
			default:
				v[key] = marker(known(key))
			}
		}
		if len(v) > 0 {
			v["extra"] = marker("extra")
		}
	case []any:
		for i := range v {
			if _, isText := v[i].(string); isText {
				v[i] = marker("extra")
				continue
			}
			replace(v[i])
		}
	}
}

// known is a field that the scanner knows by name.
func known(field string) string {
	for _, f := range personal {
		if f == field {
			return f
		}
	}
	return "extra"
}

// fill adds what a decision may hold and the simulator leaves out.
func fill(d map[string]any) {
	d["full_name"] = marker("full_name")
	d["expected_details"] = map[string]any{
		"first_name": marker("first_name"), "last_name": marker("last_name"), "address": marker("address"), "date_of_birth": markedBorn,
		"identification_number": marker("personal_number"), "ip_address": markedIPv4,
	}
	d["contact_details"] = map[string]any{"email": markedEmail, "phone": markedPhone}
	d["mrz"], d["portrait_image"] = markedMRZ, markedMedia
	if m, ok := d["metadata"].(map[string]any); ok {
		m["note"] = marker("comment")
	}
	for _, block := range []string{
		"nfc_verifications", "poa_verifications", "document_ai_documents", "phone_verifications", "email_verifications",
		"aml_screenings", "ip_analyses", "database_validations", "questionnaire_responses", "registry_checks", "key_people_checks",
	} {
		d[block] = []any{map[string]any{
			"node_id": marker("node_id"), "status": marker("status"), "first_name": marker("first_name"), "ip": markedIPv6,
			"warnings": []any{map[string]any{
				"feature": marker("feature"), "risk": "call " + marker("risk"), "long_description": marker("long_description"),
			}},
		}}
	}
}

// errorBodies are what Didit may say with a refusal, in every shape that its documentation has.
func errorBodies() []string {
	all := strings.Join([]string{
		marker("first_name"), marker("last_name"), markedBorn, marker("document_number"), marker("address"), markedEmail, markedPhone,
		markedIPv4, apiKey, markedMedia,
	}, " ")
	return []string{
		`{"detail": "` + all + `", "code": "` + marker("code") + `"}`,
		`{"` + marker("key") + `": "` + all + `", "vendor_data": ["` + all + `", "This field is required."]}`,
		`["` + all + `"]`,
		`{"detail": {"expected_details": {"` + marker("key") + `": ["` + all + `"]}}, "code": "` + strings.ToLower(marker("code")) + `"}`,
		`<html><body>` + all + `</body></html>`,
		all,
	}
}

// marked adds headers of its own to every answer.
func marked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Person", marker("header"))
		w.Header().Set("Set-Cookie", "person="+marker("cookie"))
		h.ServeHTTP(w, r)
	})
}

// mark plants markers, and remembers the token of every session: those that are deleted must not be found either.
func (w *env) mark(what string, body map[string]any) {
	if token, ok := body["session_token"].(string); ok {
		user, _ := body["vendor_data"].(string)
		w.mu.Lock()
		if !slices.Contains(w.tokens[user], token) {
			w.tokens[user] = append(w.tokens[user], token)
		}
		w.mu.Unlock()
	}
	mark(what, body)
}

// needles are all forms of all that must not be found.
func (w *env) needles() []needle {
	users := []string{}
	w.mu.Lock()
	for user := range w.tokens {
		if !slices.Contains(w.erased, user) {
			users = append(users, user)
		}
	}
	w.mu.Unlock()
	return needles(w.tokensOf(users), w.tokensOf(w.erased))
}

// tokensOf are those of all sessions that users ever had.
func (w *env) tokensOf(users []string) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, user := range users {
		all = append(all, w.tokens[user]...)
	}
	return all
}
