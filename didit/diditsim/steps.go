package diditsim

import "slices"

// step is one step of a flow.
type step struct {
	nodeID  string
	feature string // in a decision
	short   string // in a flow, and in nodes_to_resubmit
	block   string
	data    map[string]any // invented personal data and scores, as a real decision would hold
}

// catalogue are the steps that a flow can have. The names of the nodes are made after those in Didit's docs.
var catalogue = [...]*step{
	{"feature_ocr_1", "ID_VERIFICATION", "OCR", "id_verifications", map[string]any{
		"document_type": "Passport", "issuing_state": country, "document_number": "SIM000001", "personal_number": "SIM-0-0",
		"first_name": "Simulína", "last_name": "Specimen-Müster", "date_of_birth": "1900-01-01", "gender": "U",
		"address": "1 Invented Street, Nowhere <Utopia>", "expiration_date": "2099-12-31", "mrz": "P<UTOSPECIMEN<<SIMULINA",
		"portrait_image": "https://media.example/portrait?sig=invented",
	}},
	{"feature_nfc_1", "NFC", "NFC", "nfc_verifications", map[string]any{"chip_data": "invented"}},
	{"feature_liveness_1", "LIVENESS", "LIVENESS", "liveness_checks", map[string]any{
		"method": "PASSIVE", "score": 95.4, "reference_image": "https://media.example/selfie?sig=invented",
	}},
	{"feature_face_1", "FACE_MATCH", "FACE_MATCH", "face_matches", map[string]any{
		"score": 88.0, "source_image": "https://media.example/face?sig=invented", // a whole float, written as 88
	}},
	{"feature_age_1", "AGE_ESTIMATION", "AGE_ESTIMATION", "age_estimations", map[string]any{"age_estimation": 33.5}},
	{"feature_poa_1", "PROOF_OF_ADDRESS", "PROOF_OF_ADDRESS", "poa_verifications", map[string]any{"poa_address": "1 Invented Street"}},
	{"feature_phone_1", "PHONE_VERIFICATION", "PHONE_VERIFICATION", "phone_verifications", map[string]any{"phone_number": "0000"}},
	{"feature_email_1", "EMAIL_VERIFICATION", "EMAIL_VERIFICATION", "email_verifications", map[string]any{"email": "simulina@mail.example"}},
	{featureAML, "AML", "AML", "aml_screenings", map[string]any{
		"total_hits": 1, "score": 71.5, "hits": []any{map[string]any{"caption": "Simulína Specimen-Müster"}},
	}},
	{"feature_ip_1", "IP_ANALYSIS", "IP_ANALYSIS", "ip_analyses", map[string]any{"ip_address": "192.0.2.7"}},
	{"feature_database_1", "DATABASE_VALIDATION", "DATABASE_VALIDATION", "database_validations", nil},
	{"feature_questionnaire_1", "QUESTIONNAIRE", "QUESTIONNAIRE", "questionnaire_responses", map[string]any{"responses": "invented"}},
	{"feature_kyb_registry_1", "KYB_REGISTRY", "KYB_REGISTRY", "registry_checks", map[string]any{
		"company_name": "Specimen Ltd", "registration_number": "SIM-1",
	}},
	{"feature_kyb_people_1", "KYB_KEY_PEOPLE", "KYB_KEY_PEOPLE", "key_people_checks", map[string]any{"full_name": "Simulína Specimen-Müster"}},
	{"feature_kyb_documents_1", "KYB_DOCUMENTS", "KYB_DOCUMENTS", "document_verifications", nil},
}

// repeatable reports whether a resubmission may name the step: those about a company itself may not (the Python SDK).
func (p *step) repeatable() bool { return p.short != "KYB_REGISTRY" && p.short != "KYB_KEY_PEOPLE" }

const (
	country    = "UTO" // of every document
	featureAML = "feature_aml_1"
)

// blocks are those of a person's decision. They are null until their feature has run.
var blocks = [...]string{
	"id_verifications", "nfc_verifications", "liveness_checks", "face_matches", "poa_verifications", "document_ai_documents",
	"phone_verifications", "email_verifications", "aml_screenings", "ip_analyses", "database_validations", "questionnaire_responses",
}

// stepsOf returns the steps of features, nil if there is none.
func stepsOf(features ...string) []*step {
	var found []*step
	for _, name := range features {
		if i := slices.IndexFunc(catalogue[:], func(p *step) bool { return p.short == name }); i >= 0 {
			found = append(found, catalogue[i])
		}
	}
	return found
}
