package didit

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCauses(t *testing.T) {
	for name, tc := range map[string]struct {
		code int
		body string
		want Cause
	}{
		"a wrong key":                       {401, `{"detail":"Invalid API key."}`, CauseKey},
		"no key":                            {403, `{"detail":"Authentication credentials were not provided or are invalid."}`, CauseKey},
		"a permission":                      {403, `{"detail":"You do not have permission to perform this action."}`, CausePermission},
		"a permission without a word":       {403, ``, CausePermission},
		"low credit as 402":                 {402, ``, CauseCredit},
		"low credit as 403":                 {403, `{"detail":"You do not have enough credits to perform this action."}`, CauseCredit},
		"low credit as 400":                 {400, `{"detail":"Insufficient balance."}`, CauseCredit},
		"low credit as a list":              {400, `["Not enough credits."]`, CauseCredit},
		"a contract":                        {403, `{"detail":"Suspended.","code":"contract_billing_suspended"}`, CauseCredit},
		"a field that is called credit":     {400, `{"credit_limit":["Must be a number."]}`, CauseField},
		"a wrong flow":                      {400, `{"workflow_id":["Must be a valid UUID."]}`, CauseFlow},
		"an unknown flow":                   {404, `{"detail":"Not found."}`, CauseFlow},
		"a wrong base path":                 {404, `<!doctype html><title>Not Found</title>`, CauseBasePath},
		"a wrong base path of a web server": {405, ``, CauseBasePath},
		"a redirect":                        {301, ``, CauseBasePath},
		"a limit":                           {429, `{"detail":"Request was throttled."}`, CauseLimit},
		"a conflict":                        {409, `{"detail":"x","code":"in_filed_report"}`, CauseConflict},
		"an outage":                         {503, ``, CauseUnavailable},
		"a timeout":                         {408, ``, CauseUnavailable},
		"a field":                           {400, `{"callback":["Enter a valid URL."]}`, CauseField},
		"a field within a list":             {400, `{"features":[["Each workflow feature must be an object."]]}`, CauseField},
		"a field within a field":            {400, `{"form_elements":[{"element_type":["This field is required."]}]}`, CauseField},
		"a choice with those allowed":       {422, `{"detail":"Invalid status.","allowed":["ACTIVE"]}`, CauseField},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, answerWith(tc.code, tc.body))
			_, err := c.CreateSession(t.Context(), CreateSessionRequest{WorkflowID: testFlow})
			got := apiError(t, err).Cause()
			assert.Equal(t, tc.want, got)
			assert.NotEmpty(t, got.Advice())
		})
	}
	_, err := serve(t, answerWith(http.StatusNotFound, `{"detail":"Not found."}`)).Decision(t.Context(), testID)
	assert.Equal(t, CauseNotFound, apiError(t, err).Cause(), "only a create is about a flow")
}
