package didit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// FaceRetention is what became of the face of a deleted session (https://docs.didit.me/sessions-api/delete-session).
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
	ID string
	// FaceRetentionOutcome is empty if Didit did not say, as in its older answer without a body.
	FaceRetentionOutcome      FaceRetention
	DeletedChildVerifications int
}

// DeleteSession makes Didit forget a session for good (https://docs.didit.me/sessions-api/delete-session). Newer
// docs answer 200 with a body, older ones 204 without; both mean done. A 503 means that nothing was deleted: call again
// until it is done. A 404 means that there is no such session, or none any more.
func (c *Client) DeleteSession(ctx context.Context, sessionID string, r DeleteSessionRequest) (DeletedSession, error) {
	path, err := sessionPath(sessionID, "delete/")
	if err != nil {
		return DeletedSession{}, err
	}
	k := call{
		op: "delete session", method: http.MethodDelete, path: path,
		success: []int{http.StatusOK, http.StatusNoContent},
	}
	switch r.Instruction {
	case "", DeleteOperational, DeletePrivacyErasure:
	default:
		return DeletedSession{}, fmt.Errorf("%w: %s: unknown instruction", ErrInvalidArgument, k.op)
	}
	if r.FaceRetentionDays < 0 || r.FaceRetentionDays > 3650 {
		return DeletedSession{}, fmt.Errorf("%w: %s: a face can be retained for 1 to 3650 days", ErrInvalidArgument, k.op)
	}
	if r != (DeleteSessionRequest{}) {
		k.body = r
	}
	body, err := c.do(ctx, k)
	if err != nil {
		return DeletedSession{}, err
	}
	return parseDeleted(k.op, sessionID, body)
}

func parseDeleted(op, sessionID string, body []byte) (DeletedSession, error) {
	if len(body) == 0 {
		return DeletedSession{ID: sessionID}, nil
	}
	var w struct {
		ID       string        `json:"session_id"`
		Face     FaceRetention `json:"face_retention_outcome"`
		Children int           `json:"deleted_child_verifications"`
	}
	if err := decode(op, body, &w); err != nil {
		return DeletedSession{}, err
	}
	if w.ID != "" && !strings.EqualFold(w.ID, sessionID) {
		return DeletedSession{}, badResponse(op, "about another session")
	}
	return DeletedSession{ID: sessionID, FaceRetentionOutcome: w.Face, DeletedChildVerifications: w.Children}, nil
}

// SessionsOf returns all sessions of one user, each once, by reading ListSessions to its end. More than 100 pages are
// ErrTooMany. A session that names another user makes the answer bad: whoever deletes what this returns must not delete what is
// somebody else's.
func (c *Client) SessionsOf(ctx context.Context, vendorData string) ([]SessionSummary, error) {
	const op = "list sessions"
	if vendorData == "" {
		return nil, fmt.Errorf("%w: %s of nobody", ErrInvalidArgument, op)
	}
	var all []SessionSummary
	seen := map[string]bool{}
	offset := 0
	for range maxPages {
		page, err := c.ListSessions(ctx, ListSessionsRequest{VendorData: vendorData, Limit: pageSize, Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, s := range page.Sessions {
			if !strings.EqualFold(s.VendorData, vendorData) {
				return nil, badResponse(op, "a session of another user")
			}
			if !seen[s.ID] { // a session made meanwhile moves the others one down
				seen[s.ID] = true
				all = append(all, s)
			}
		}
		offset += len(page.Sessions)
		switch {
		case !page.More:
			return all, nil
		case len(page.Sessions) == 0:
			return nil, badResponse(op, "an empty page that is not the last")
		}
	}
	return nil, tooMany(op)
}

// DeleteUser makes Didit forget the user that it keeps for a vendor_data: the entity that deleting a session leaves
// (https://docs.didit.me/management-api/users/delete). It returns how many users that was: 0 if there is none, which is no
// error. The request {"vendor_data_list": [...]} and the answer {"deleted": n} are that page's. Didit matches vendor_data
// without regard to case. The same page says both that the user's sessions are deleted alongside and that they are kept for
// the retention period: so delete them first, each with DeleteSession.
func (c *Client) DeleteUser(ctx context.Context, vendorData string) (int, error) {
	k := call{
		op: "delete user", method: http.MethodPost, path: "/v3/users/delete/",
		success: []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent},
	}
	if strings.TrimSpace(vendorData) == "" {
		return 0, fmt.Errorf("%w: %s: nobody is named", ErrInvalidArgument, k.op)
	}
	k.body = map[string][]string{"vendor_data_list": {vendorData}}
	body, err := c.do(ctx, k)
	if err != nil || len(body) == 0 {
		return 0, err
	}
	var w struct {
		Deleted json.Number `json:"deleted"`
	}
	if err := decode(k.op, body, &w); err != nil {
		return 0, err
	}
	n, _ := w.Deleted.Int64()
	if n < 0 || n > 1 { // one vendor_data is one user
		return 0, badResponse(k.op, "not the one user that was named")
	}
	return int(n), nil
}
