package main

import (
	"errors"
	"slices"
	"strings"

	"didit-temporal/didit"
)

func features(names ...string) []object {
	all := make([]object, len(names))
	for i, n := range names {
		all[i] = object{"feature": n}
	}
	return all
}

// appSteps are the tools that verifications need, with the answers that Didit documents.
var appSteps = []step{
	{tool: "didit_list_workflows", what: "of a new account", check: counts(0)},
	{tool: "didit_create_workflow", what: "an unknown feature", args: object{"features": features("MAGIC")}, want: "400"},
	{tool: "didit_create_workflow", what: "no objects", args: object{"features": []string{"OCR"}}, want: "400"},
	{
		tool: "didit_create_workflow", args: object{"workflow_label": "KYC", "features": features("OCR", "LIVENESS", "FACE_MATCH", "AML", "PROOF_OF_ADDRESS")},
		check: keep("uuid", "flow"),
	},
	{
		tool: "didit_create_workflow", what: "KYB", args: object{"features": features("KYB_REGISTRY", "KYB_DOCUMENTS", "KYB_KEY_PEOPLE")},
		check: keep("uuid", "kyb"),
	},
	{tool: "didit_list_workflows", check: counts(2)},
	{tool: "didit_get_workflow", args: object{"workflow_id": "$flow"}},
	{tool: "didit_update_workflow", args: object{"workflow_id": "$flow", "workflow_label": "KYC with AML", "is_default": true}},
	{
		tool: "didit_create_webhook_destination",
		args: object{"label": "peers", "url": "$hooks", "webhook_version": "v3", "subscribed_events": []string{"status.updated", "data.updated"}},
		check: func(s *state, got object) error {
			return errors.Join(keep("uuid", "destination")(s, got), keep("secret_shared_key", "secret")(s, got))
		},
	},
	{tool: "didit_create_webhook_destination", what: "the same URL", args: object{"label": "x", "url": "$hooks"}, want: "400"},
	{tool: "didit_list_webhook_destinations", check: counts(1)},
	{tool: "didit_get_webhook_destination", args: object{"destination_uuid": "$destination"}},
	{tool: "didit_update_webhook_destination", args: object{"destination_uuid": "$destination", "label": "peers 2", "enabled": true}},

	{tool: "didit_create_session", what: "no workflow", want: "400"},
	{tool: "didit_create_session", what: "an unknown workflow", args: object{"workflow_id": "11111111-2222-4333-8444-555555555555"}, want: "400"},
	{
		tool: "didit_create_session", args: object{
			"workflow_id": "$flow", "vendor_data": "u1", "callback": "myapp://callback", "callback_method": "both", "language": "pt-BR",
			"metadata": object{"plan": "basic"}, "contact_details": object{"email": "u1@mail.example"},
			"expected_details": object{"first_name": "Simulína"},
		}, check: keep("session_id", "session"),
	},
	{tool: "didit_create_session", what: "KYB", args: object{"workflow_id": "$kyb", "vendor_data": "company-1"}, check: keep("session_id", "business")},
	{tool: "didit_get_session_decision", args: object{"session_id": "$session"}},
	{tool: "didit_get_session_decision", what: "KYB", args: object{"session_id": "$business"}, check: func(_ *state, got object) error {
		if got["session_kind"] != "business" {
			return errors.New("not a business session")
		}
		return nil
	}},
	{tool: "didit_get_session_decision", what: "unknown", args: object{"session_id": "11111111-2222-4333-8444-555555555555"}, want: "404"},
	{tool: "didit_list_sessions", what: "all filters", args: object{
		"status": "Not Started", "session_kind": "all", "vendor_data": "u1", "workflow_id": "$flow", "search": "u1",
		"date_from": "2020-01-01", "date_to": "2099-01-01", "limit": "10", "offset": "0",
	}, check: counts(1)},
	{tool: "didit_list_sessions", what: "people by default", check: counts(1)},
	{tool: "didit_list_sessions", what: "companies", args: object{"session_kind": "business"}, check: counts(1)},
	{tool: "didit_list_sessions", what: "before it began", args: object{"date_to": "2020-01-01"}, check: counts(0)},
	{tool: "didit_generate_session_pdf", what: "too early", args: object{"session_id": "$session"}, want: "403"},
	{tool: "didit_update_session_status", what: "too early", args: object{"session_id": "$session", "new_status": "Approved"}, want: "400"},
	{
		tool: "didit_update_session_status", args: object{"session_id": "$session", "new_status": "Approved", "comment": "T-1"},
		before: move(didit.StatusInProgress, didit.StatusInReview),
	},
	{tool: "didit_generate_session_pdf", args: object{"session_id": "$session"}, check: func(_ *state, got object) error {
		if text, _ := got["raw"].(string); !strings.HasPrefix(text, "%PDF-") {
			return errors.New("no PDF")
		}
		return nil
	}},
	{tool: "didit_update_session_data", args: object{"session_id": "$session", "document_number": "CORRECTED1"}},
	{tool: "didit_update_session_poa_data", args: object{"session_id": "$session", "issuer": "CORRECTED2"}},
	{tool: "didit_update_session_poa_data", what: "none", args: object{"session_id": "$business", "issuer": "x"}, want: "400"},
	{tool: "didit_add_session_review", args: object{"session_id": "$session", "comment": "seen"}},
	{tool: "didit_add_session_review", what: "with a status", args: object{"session_id": "$session", "comment": "again", "new_status": "Declined"}},
	{tool: "didit_list_session_reviews", args: object{"session_id": "$session"}, check: counts(3)},
	{
		tool: "didit_update_session_status", what: "nodes as strings",
		args: object{"session_id": "$session", "new_status": "Resubmitted", "nodes_to_resubmit": []string{"feature_ocr_1"}},
	},

	{tool: "didit_list_users", check: counts(1)},
	{tool: "didit_get_user", args: object{"vendor_data": "u1"}},
	{tool: "didit_create_user", args: object{"vendor_data": "u2", "full_name": "Specimen", "metadata": object{"a": 1}}},
	{tool: "didit_create_user", what: "twice", args: object{"vendor_data": "u2"}, want: "409"},
	{tool: "didit_update_user", args: object{"vendor_data": "u2", "display_name": "S", "status": "FLAGGED"}},
	{tool: "didit_update_user_status", args: object{"vendor_data": "u2", "status": "BLOCKED"}},
	{tool: "didit_update_user_status", what: "unknown", args: object{"vendor_data": "u2", "status": "GONE"}, want: "422"},
	{tool: "didit_delete_users", what: "of no name", want: "400"},
	{tool: "didit_delete_users", args: object{"vendor_data_list": []string{"u2"}}},

	{tool: "didit_get_balance"},
	{tool: "didit_top_up", what: "too little", args: object{"amount_in_dollars": 5}, want: "400"},
	{tool: "didit_top_up", args: object{"amount_in_dollars": 50}},

	{tool: "didit_share_session", what: "with no one", args: object{"session_id": "$session"}, want: "400"},
	{tool: "didit_share_session", args: object{"session_id": "$session", "partner_client_id": "$client"}, check: keep("share_token", "share")},
	{tool: "didit_import_shared_session", what: "an unknown token", args: object{"share_token": "x"}, want: "400"},
	{tool: "didit_import_shared_session", args: object{"share_token": "$share"}, check: func(s *state, got object) error {
		if got["shared_from_session"] != s.text["session"] {
			return errors.New("another session")
		}
		return nil
	}},
	{tool: "didit_import_shared_session", what: "twice", args: object{"share_token": "$share"}, want: "403"},

	{tool: "didit_delete_session", args: object{"session_id": "$session"}},
	{tool: "didit_batch_delete_sessions", what: "of no number", want: "400"},
	{tool: "didit_batch_delete_sessions", args: object{"session_numbers": []int{1, 2}}},
	{tool: "didit_delete_webhook_destination", args: object{"destination_uuid": "$destination"}},
	{tool: "didit_delete_workflow", args: object{"workflow_id": "$kyb"}},
}

// notSimulatedSteps are the groups that verifications do not need: a clear 501.
func notSimulatedSteps() []step {
	image := func(fields ...string) object {
		args := object{}
		for _, f := range fields {
			args[f] = "$image"
		}
		return args
	}
	id := object{
		"list_uuid": "x", "entry_uuid": "x", "questionnaire_id": "x", "transaction_id": "x", "vendor_data": "x", "import_id": "x", "session_id": "x",
	}
	var steps []step
	for tool, args := range map[string]object{
		"didit_id_verification": image("front_image_path"), "didit_poa_verification": image("document_image_path"),
		"didit_passive_liveness": image("image_path"), "didit_face_match": image("image_1_path", "image_2_path"),
		"didit_face_search": image("image_path"), "didit_age_estimation": image("image_path"),
		"didit_update_customization": image("image_square_path"),
		"didit_upload_face_entry":    {"list_uuid": "x", "image_path": "$image"},
		"didit_database_validation":  id, "didit_kyb_search": id, "didit_kyb_select": id, "didit_aml_screening": id,
		"didit_email_send": id, "didit_email_check": id, "didit_phone_send": id, "didit_phone_check": id,
		"didit_get_customization": id, "didit_list_lists": id, "didit_create_list": id, "didit_get_list": id, "didit_update_list": id,
		"didit_delete_list": id, "didit_list_entries": id, "didit_create_list_entry": id, "didit_delete_list_entry": id,
		"didit_list_questionnaires": id, "didit_create_questionnaire": id, "didit_get_questionnaire": id,
		"didit_update_questionnaire": id, "didit_delete_questionnaire": id,
		"didit_list_businesses": id, "didit_create_business": id, "didit_get_business": id, "didit_update_business": id,
		"didit_update_business_status": id, "didit_delete_businesses": id,
		"didit_list_transactions": id, "didit_create_transaction": id, "didit_get_transaction": id, "didit_screen_wallet": id,
		"didit_create_import": id, "didit_get_import_template": id, "didit_get_import": id, "didit_get_import_errors": id,
	} {
		steps = append(steps, step{tool: tool, args: args, want: "501"})
	}
	slices.SortFunc(steps, func(a, b step) int { return strings.Compare(a.tool, b.tool) })
	return steps
}
