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
	face := x.flow.step("LIVENESS")
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
	case face == nil || face.status(x) == "": // the session has no face
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

// maxAtOnce is how many sessions a batch deletes without a job.
const maxAtOnce = 20

// deleteSessions is POST /v3/sessions/delete/ (https://docs.didit.me/management-api/sessions/batch-delete). A job is
// done at once.
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
	if len(results) <= maxAtOnce {
		return ok(map[string]any{"results": results})
	}
	id := uuid.NewString()
	s.jobs[id] = map[string]any{
		"job_id": id, "status": "COMPLETED", "total": len(results), "processed": len(results), "error": nil,
		"created_at": isoTime(s.opts.Now()),
	}
	return &answer{code: http.StatusAccepted, body: s.jobs[id]}
}

// showJob is GET /v3/sessions/delete/{job_id}/.
func (s *Server) showJob(_ *application, r *http.Request, _ []byte) *answer {
	if job, known := s.jobs[r.PathValue("id")]; known && r.PathValue("list") == "delete" {
		return ok(job)
	}
	return notFound()
}
