package diditsim

import (
	"maps"
	"net/http"

	"didit-temporal/didit"
)

// message is what the hosted page posts to the page around its frame, as Didit's web SDK reads it: {type, data,
// timestamp}. The script adds the time.
type message struct {
	Type string         `json:"type"`
	Data map[string]any `json:"data"`
}

// framed reports whether a browser loads the page into a frame.
func framed(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == "iframe" }

// messagesOf are the messages of a session in its current status. A user who acts finishes all steps at once.
func messagesOf(x Session, steps []*step) []message {
	ready := x.message("didit:ready", nil)
	switch x.Status {
	case didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview:
		var all []message
		for i, p := range steps {
			all = append(all, x.stepDone(p, steps[min(i+1, len(steps)-1)])...)
		}
		status := x.message("didit:status_updated", map[string]any{"status": x.Status})
		return append(all, status, x.message("didit:completed", map[string]any{"status": webStatus(x.Status)}))
	case didit.StatusAbandoned:
		return []message{x.message("didit:cancelled", nil)}
	case didit.StatusExpired, didit.StatusKycExpired:
		return []message{ready, x.message("didit:error", map[string]any{"error": "sessionExpired"})}
	}
	begun := x.message("didit:step_started", map[string]any{"step": steps[0].short})
	return []message{ready, x.message("didit:started", nil), begun}
}

func (x Session) message(kind string, data map[string]any) message {
	if data == nil {
		data = map[string]any{}
	}
	data["sessionId"] = x.ID
	return message{kind, data}
}

// stepDone are the messages of one step.
func (x Session) stepDone(p, next *step) []message {
	about := func(kind string, more map[string]any) message {
		data := map[string]any{"step": p.short}
		maps.Copy(data, more)
		return x.message(kind, data)
	}
	var all []message
	switch p.short {
	case "PHONE_VERIFICATION", "EMAIL_VERIFICATION":
		channel := map[string]any{"channel": p.short, "codeSize": 6}
		all = append(all, about("didit:code_sent", channel), about("didit:code_verified", channel))
	case "OCR":
		all = append(all, about("didit:document_selected", map[string]any{"documentType": "P", "country": country}))
		fallthrough
	default:
		media := map[string]any{"mediaType": "photo", "isAuto": true}
		all = append(all, about("didit:media_started", media), about("didit:media_captured", media), about("didit:verification_submitted", nil))
	}
	step := map[string]any{"nextStep": next.short, "previousStep": p.short}
	return append(all, about("didit:step_completed", step), about("didit:step_changed", step))
}

// webStatus is one of the three statuses that Didit's web SDK knows.
func webStatus(st didit.Status) string {
	if st == didit.StatusInReview {
		return "Pending"
	}
	return string(st)
}
