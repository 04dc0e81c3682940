package diditsim

import (
	"encoding/json"
	"strings"
)

// EditWebhook names, for Options.Edit, the body of a webhook, before it is signed.
const EditWebhook = "webhook"

// edited is a body after Options.Edit. What is no JSON object stays as it is.
func (s *Server) edited(what string, body any) any {
	plain, err := json.Marshal(body)
	var fields map[string]any
	if s.opts.Edit == nil || err != nil || json.Unmarshal(plain, &fields) != nil {
		return body
	}
	s.opts.Edit(strings.TrimSuffix(what, "{$}"), fields)
	return fields
}
