package diditsim

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// Invented actors of reviews. The name and the address test that readers of reviews do not read them.
const (
	actorAPI     = "API_KEY"
	actorPerson  = "CONSOLE_USER"
	reviewerName = "Revi Specimen"
	reviewerMail = "revi.specimen@reviewers.example"
)

// reviewed is a change of status by a person or a key.
type reviewed struct {
	id       string
	actor    string
	from, to didit.Status
	comment  string
	at       time.Time
}

// note records the actor of a change of status, before the change. It needs Server.mu.
func (x *session) note(actor string, to didit.Status, comment string, at time.Time) {
	x.reviews = append(x.reviews, reviewed{id: uuid.NewString(), actor: actor, from: x.Status, to: to, comment: comment, at: at})
}

// inDecision are the reviews as a decision has them.
func (x *session) inDecision() []map[string]any {
	all := []map[string]any{}
	for _, v := range x.reviews {
		all = append(all, map[string]any{
			"user": v.display(), "new_status": v.to, "comment": orNull(v.comment), "created_at": isoTime(v.at),
		})
	}
	return all
}

func (v reviewed) display() string {
	if v.actor == actorPerson {
		return reviewerName
	}
	return "API Client"
}

// entry is a review as the list of them has it.
func (v reviewed) entry() map[string]any {
	e := map[string]any{
		"uuid": v.id, "activity_type": "STATUS_UPDATED", "actor_display": v.display(), "actor_email": nil, "actor_type": v.actor,
		"new_status": v.to, "previous_status": v.from, "comment": orNull(v.comment), "mentioned_emails": []string{},
		"previous_value": map[string]any{"status": v.from}, "new_value": map[string]any{"status": v.to},
		"changed_fields": []string{"status"}, "metadata": nil, "created_at": isoTime(v.at),
	}
	if v.actor == actorPerson {
		e["actor_email"] = reviewerMail
	}
	return e
}

// listReviews is GET /v3/sessions/{id}/reviews/, newest first unless ordering says created_at
// (https://docs.didit.me/management-api/sessions/list-reviews). Of all activities a Server has changes of status only.
func listReviews(x *session, r *http.Request, _ []byte) *answer {
	all := slices.Clone(x.reviews)
	if r.URL.Query().Get("ordering") != "created_at" {
		slices.Reverse(all)
	}
	return paginate(r, all, 50, reviewed.entry)
}

// addReview is POST: a note, and with new_status a change of status that the session can make.
func (s *Server) addReview(x *session, _ *http.Request, b updateBody) *answer {
	old := x.Status
	if b.NewStatus == "" {
		b.NewStatus = old
	}
	if b.NewStatus != old && !canMove(old, b.NewStatus) {
		return invalid("new_status", notAChoice(string(b.NewStatus)))
	}
	x.note(actorAPI, b.NewStatus, b.Comment, s.opts.Now())
	if b.NewStatus != old {
		s.move(x, b.NewStatus, review{comment: b.Comment})
	}
	return created(map[string]any{
		"id": len(x.reviews), "action": "review", "old_status": old, "new_status": b.NewStatus, "note": orNull(b.Comment),
	})
}
