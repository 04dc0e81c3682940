package didit

import (
	"cmp"
	"context"
	"time"
)

// Review is an entry of a session's history: a change of status, or another action of a reviewer, a key or Didit. Of the
// actor we read the kind, and neither name nor e-mail address. A comment is free text, which may be about the user.
type Review struct {
	ID             string    `json:"uuid"`          // empty in Didit's older answer
	Activity       string    `json:"activity_type"` // such as STATUS_UPDATED; empty in Didit's older answer
	ActorType      string    `json:"actor_type"`    // API_KEY, CONSOLE_USER or SYSTEM; empty in Didit's older answer
	NewStatus      Status    `json:"new_status"`    // empty if the status did not change
	PreviousStatus Status    `json:"previous_status"`
	Comment        Sensitive `json:"comment"`
	CreatedAt      time.Time `json:"created_at"` // zero if Didit sent none
}

// Reviews returns the history of a session, newest first
// (https://docs.didit.me/management-api/sessions/list-reviews). It has an entry for each UpdateStatus that changed
// something.
func (c *Client) Reviews(ctx context.Context, sessionID string) ([]Review, error) {
	k := call{op: "list reviews", path: "/v3/sessions/%s/reviews/", ids: []string{sessionID}}
	items, err := c.items(ctx, k)
	if err != nil {
		return nil, err
	}
	return each(k.op, items, wireReview.review)
}

// wireReview adds the fields of an older answer.
type wireReview struct {
	Review
	OldStatus Status    `json:"old_status"`
	Note      Sensitive `json:"note"`
	CreatedAt wireTime  `json:"created_at"`
}

func (w wireReview) review() (Review, error) {
	r := w.Review
	r.PreviousStatus, r.Comment, r.CreatedAt = cmp.Or(r.PreviousStatus, w.OldStatus), cmp.Or(r.Comment, w.Note), w.CreatedAt.Time
	return r, nil
}
