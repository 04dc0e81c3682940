package diditsim

import (
	"encoding/json"
	"strings"
)

// EditWebhook names, for Options.Edit, the body of a webhook, before it is signed.
const EditWebhook = "webhook"

// edited is the JSON of an answer after Options.Edit.
func (s *Server) edited(what string, body any) ([]byte, error) {
	plain, err := json.Marshal(body)
	var fields map[string]any
	if err != nil || s.opts.Edit == nil || json.Unmarshal(plain, &fields) != nil {
		return plain, err
	}
	s.opts.Edit(strings.TrimSuffix(what, "{$}"), fields)
	return json.Marshal(fields)
}

// editedWebhook is a payload after Options.Edit.
func (s *Server) editedWebhook(payload map[string]any) map[string]any {
	if s.opts.Edit == nil {
		return payload
	}
	edited, err := s.edited(EditWebhook, payload)
	var own map[string]any
	if err != nil || json.Unmarshal(edited, &own) != nil {
		return payload
	}
	return own
}
