package didit

import (
	"cmp"
	"context"
	"net/url"
	"time"
)

// Review is an entry of a session's history: a change of status, or something else that a reviewer, a key or Didit did.
// Of the actor we read the kind, and neither name nor e-mail address; a comment is somebody's free text, which may be about
// the user.
type Review struct {
	ID             string // empty in Didit's older answer
	Activity       string // such as STATUS_UPDATED; empty in Didit's older answer
	ActorType      string // API_KEY, CONSOLE_USER or SYSTEM; empty in Didit's older answer
	NewStatus      Status // empty if the status did not change
	PreviousStatus Status
	Comment        Sensitive
	CreatedAt      time.Time // zero if Didit sent none
}

// Reviews returns the history of a session, newest first (https://docs.didit.me/management-api/sessions/list-reviews). It has an
// entry for each UpdateStatus that changed something.
func (c *Client) Reviews(ctx context.Context, sessionID string) ([]Review, error) {
	const op = "list reviews"
	if !isToken(sessionID) {
		return nil, notASession()
	}
	items, err := c.items(ctx, op, "/v3/sessions/"+url.PathEscape(sessionID)+"/reviews/")
	if err != nil {
		return nil, err
	}
	return each(op, items, wireReview.review)
}

type wireReview struct {
	ID             string `json:"uuid"`
	Activity       string `json:"activity_type"`
	ActorType      string `json:"actor_type"`
	NewStatus      Status `json:"new_status"`
	PreviousStatus Status `json:"previous_status"`
	OldStatus      Status `json:"old_status"` // in an older answer, as note
	Comment        string `json:"comment"`
	Note           string `json:"note"`
	CreatedAt      string `json:"created_at"`
}

func (w wireReview) review() (Review, error) {
	return Review{
		ID: w.ID, Activity: w.Activity, ActorType: w.ActorType, NewStatus: w.NewStatus,
		PreviousStatus: cmp.Or(w.PreviousStatus, w.OldStatus), Comment: Sensitive(cmp.Or(w.Comment, w.Note)), CreatedAt: parseTime(w.CreatedAt),
	}, nil
}
