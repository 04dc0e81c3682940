package diditsim

import (
	"net/http"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// delete is DELETE /v3/session/{id}/delete/ (https://docs.didit.me/sessions-api/delete-session): 200 with a body, as in
// the newer docs, and 404 from then on.
func (s *Server) delete(r *http.Request, body []byte) answer {
	if no := s.refuse(r); no != nil {
		return *no
	}
	x, no := s.find(r)
	if no != nil {
		return *no
	}
	var b didit.DeleteSessionRequest
	if no := decode(body, &b); no != nil {
		return *no
	}
	switch b.Instruction {
	case "", didit.DeleteOperational, didit.DeletePrivacyErasure:
	default:
		return *invalid("deletion_instruction", "Not a valid choice.")
	}
	s.remove(x)
	done := map[string]any{
		"session_id":                    x.ID,
		"session_number":                x.Number,
		"face_retention_outcome":        "none",
		"biometric_template_uuid":       nil,
		"biometric_template_expires_at": nil,
		"deleted_child_verifications":   0,
	}
	keep := b.RetainFaceEmbeddings != nil && *b.RetainFaceEmbeddings
	switch {
	case steps[1].status(x) == "": // no face was ever seen
	case keep && x.VendorData == "":
		done["face_retention_outcome"] = "ineligible_no_vendor_user"
	case keep:
		done["face_retention_outcome"] = "retained_with_user"
		done["biometric_template_uuid"] = uuid.NewString()
	default:
		done["face_retention_outcome"] = "deleted"
	}
	return answer{http.StatusOK, done}
}
