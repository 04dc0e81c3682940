package didit

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// FaceRetention is what happened to the face of a deleted session (https://docs.didit.me/sessions-api/delete-session).
type FaceRetention string

// The documented outcomes. Didit may add more.
const (
	FaceDeleted              FaceRetention = "deleted"
	FaceNone                 FaceRetention = "none"
	FaceRetainedWithUser     FaceRetention = "retained_with_user"
	FaceIneligibleVendorUser FaceRetention = "ineligible_no_vendor_user"
)

// DeletedSession is the answer to DeleteSession. The ids of biometric templates in it are not decoded.
type DeletedSession struct {
	ID string `json:"session_id"`
	// FaceRetentionOutcome is empty if Didit did not say, as in its older answer without a body.
	FaceRetentionOutcome      FaceRetention `json:"face_retention_outcome"`
	DeletedChildVerifications int           `json:"deleted_child_verifications"`
}

// DeleteSession deletes a session for good (https://docs.didit.me/sessions-api/delete-session). Newer docs answer 200
// with a body, older ones 204 without; both mean done. A 503 means that nothing was deleted: call again until it is
// done. A 404 means that there is no such session, or none any more.
func (c *Client) DeleteSession(ctx context.Context, sessionID string, r DeleteSessionRequest) (DeletedSession, error) {
	k := call{
		op: "delete session", method: http.MethodDelete, path: "/v3/session/%s/delete/", ids: []string{sessionID},
		success: []int{http.StatusOK, http.StatusNoContent},
	}
	switch r.Instruction {
	case "", DeleteOperational, DeletePrivacyErasure:
	default:
		k.invalid = "unknown instruction"
	}
	if r.FaceRetentionDays < 0 || r.FaceRetentionDays > 3650 {
		k.invalid = "a face can be retained for 1 to 3650 days"
	}
	if r != (DeleteSessionRequest{}) {
		k.body = r
	}
	d, err := send[DeletedSession](ctx, c, k)
	if err == nil && d.ID != "" && !strings.EqualFold(d.ID, sessionID) {
		err = badResponse(k.op, "about another session")
	}
	if err != nil {
		return DeletedSession{}, err
	}
	d.ID = sessionID
	return d, nil
}

// DeleteUser deletes the user that Didit keeps for a vendor_data: the entity that deleting a session leaves
// (https://docs.didit.me/management-api/users/delete). It returns how many users that was: 0 if there is none, which is
// no error. The request {"vendor_data_list": [...]} and the answer {"deleted": n} are that page's. Didit matches
// vendor_data without regard to case. The same page says both that the user's sessions are deleted alongside and that
// they are kept for the retention period: so delete them first, each with DeleteSession.
func (c *Client) DeleteUser(ctx context.Context, vendorData string) (int, error) {
	k := call{
		op: "delete user", method: http.MethodPost, path: "/v3/users/delete/", body: map[string][]string{"vendor_data_list": {vendorData}},
		success: []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent},
	}
	if strings.TrimSpace(vendorData) == "" {
		k.invalid = "no user"
	}
	w, err := send[struct {
		Deleted json.Number `json:"deleted"`
	}](ctx, c, k)
	if err != nil {
		return 0, err
	}
	n, _ := w.Deleted.Int64()
	if n < 0 || n > 1 { // one vendor_data is one user
		return 0, badResponse(k.op, "not the one user of the request")
	}
	return int(n), nil
}
