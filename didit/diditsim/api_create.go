package diditsim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// createBody is what a Server reads of a create request. It accepts and ignores personal data (contact_details,
// expected_details, portrait_image).
type createBody struct {
	WorkflowID string          `json:"workflow_id"`
	VendorData string          `json:"vendor_data"`
	Callback   string          `json:"callback"`
	Language   string          `json:"language"`
	Metadata   json.RawMessage `json:"metadata"`

	app  *application // whose key the request had
	flow *flow
}

// language matches the form of Didit's values, such as en and pt-BR. Didit documents only a part of its list.
var language = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// create is POST /v3/session/ (https://docs.didit.me/sessions-api/create-session). An unfinished session of the same
// vendor_data and flow is returned with callback and metadata overwritten, as 201 like a new one.
func (s *Server) create(app *application, r *http.Request, b createBody) *answer {
	b.WorkflowID, b.app = strings.ToLower(b.WorkflowID), app
	if no := s.checkCreate(&b); no != nil {
		return no
	}
	if string(b.Metadata) == "null" {
		b.Metadata = nil
	}
	x := s.reusable(b)
	if x == nil {
		x = s.add(b, s.publicBase(r))
	} else {
		x.Callback, x.Metadata = b.Callback, b.Metadata
	}
	return created(map[string]any{
		"session_id":       x.ID,
		"session_number":   x.Number,
		"session_token":    x.Token,
		"url":              x.URL,
		"vendor_data":      orNull(x.VendorData),
		"metadata":         orNull(x.Metadata),
		"status":           x.Status,
		"workflow_id":      x.WorkflowID,
		"workflow_version": workflowVersion,
		"callback":         orNull(x.Callback),
	})
}

// checkCreate refuses what Didit refuses, and finds the flow. The texts are ours.
func (s *Server) checkCreate(b *createBody) *answer {
	_, err := uuid.Parse(b.WorkflowID)
	switch {
	case b.WorkflowID == "":
		return invalid("workflow_id", "This field is required.")
	case err != nil || len(b.WorkflowID) != 36:
		return invalid("workflow_id", "Must be a valid UUID.")
	}
	b.flow = s.flow(b.app, b.WorkflowID)
	switch {
	case b.flow == nil:
		return invalid("workflow_id", "Workflow not found.")
	case b.Callback != "" && !isDeepLink(b.Callback):
		return invalid("callback", "Enter a valid URL.")
	case b.Language != "" && !language.MatchString(b.Language):
		return invalid("language", notAChoice(b.Language))
	}
	return nil
}

// isDeepLink accepts the links of apps too, such as myapp://callback, which Didit's own sample sends.
func isDeepLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host+u.Path != ""
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
