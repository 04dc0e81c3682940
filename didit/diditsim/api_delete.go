package diditsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// delete is DELETE /v3/session/{id}/delete/ (https://docs.didit.me/sessions-api/delete-session): 200 with a body, as in
// the newer docs, and 404 from then on.
func (s *Server) delete(x *session, _ *http.Request, b didit.DeleteSessionRequest) *answer {
	switch b.Instruction {
	case "", didit.DeleteOperational, didit.DeletePrivacyErasure:
	default:
		return invalid("deletion_instruction", notAChoice(string(b.Instruction)))
	}
	return ok(s.erase(x, b))
}

// erase removes a session and returns what happened to its parts.
func (s *Server) erase(x *session, b didit.DeleteSessionRequest) map[string]any {
	s.remove(x)
	done := map[string]any{
		"session_id":                    x.ID,
		"session_number":                x.Number,
		"face_retention_outcome":        didit.FaceNone,
		"biometric_template_uuid":       nil,
		"biometric_template_expires_at": nil,
		"deleted_child_verifications":   0,
	}
	keep := b.RetainFaceEmbeddings != nil && *b.RetainFaceEmbeddings
	switch {
	case !x.has("LIVENESS"): // the session has no face
	case keep && x.VendorData == "":
		done["face_retention_outcome"] = didit.FaceIneligibleVendorUser
	case keep:
		done["face_retention_outcome"] = didit.FaceRetainedWithUser
		done["biometric_template_uuid"] = uuid.NewString()
	default:
		done["face_retention_outcome"] = didit.FaceDeleted
	}
	return done
}

// deleteBody chooses sessions.
type deleteBody struct {
	Numbers []json.Number `json:"session_numbers"` // numbers, or texts of them
	All     bool          `json:"delete_all"`
}

// deleteSessions is POST /v3/sessions/delete/ (https://docs.didit.me/management-api/sessions/batch-delete). Where Didit
// answers with a job, for more than 20 sessions, a Server deletes them at once all the same.
func (s *Server) deleteSessions(app *application, _ *http.Request, b deleteBody) *answer {
	if len(b.Numbers) == 0 && !b.All {
		return &answer{code: http.StatusBadRequest, body: []string{"Provide session_numbers or set delete_all=true."}}
	}
	results := []map[string]any{}
	for _, x := range slices.Clone(s.all) {
		number := json.Number(strconv.FormatInt(x.Number, 10))
		if x.app == app && !x.flow.business() && (b.All || slices.Contains(b.Numbers, number)) {
			results = append(results, s.erase(x, didit.DeleteSessionRequest{}))
		}
	}
	return ok(map[string]any{"results": results})
}
