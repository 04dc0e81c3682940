package diditsim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestUpdateStatus(t *testing.T) {
	changeable := []didit.Status{
		didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusKycExpired, didit.StatusAbandoned, didit.StatusResubmitted,
	}
	for _, from := range didit.Statuses() {
		for _, to := range didit.Statuses() {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				hooks := receive(t, nil)
				b := start(t, diditsim.Options{})
				id := b.create(t, "u1").ID
				b.bring(t, id, from)
				b.SetWebhook(hooks.url, secret)
				code, _, body := b.call(t, "PATCH", "/v3/session/"+id+"/update-status/", apiKey, // the client would not send all of these
					`{"new_status":"`+string(to)+`","nodes_to_resubmit":[{"node_id":"feature_face_1","feature":"FACE_MATCH"}]}`)
				after, _ := b.Session(id)
				b.settle(t)
				want := `{"session_id":"` + id + `"}`
				switch {
				case !slices.Contains(changeable, from):
					want = `{"detail":"Wrong Current Status"}`
				case to != didit.StatusApproved && to != didit.StatusDeclined && to != didit.StatusResubmitted:
					want = `{"new_status":["\"` + string(to) + `\" is not a valid choice."]}`
				case from == didit.StatusResubmitted && to == from:
					want = `{"detail":"The new status is the same as the current status."}`
				case from == to:
				default:
					assert.Equal(t, 200, code)
					assert.Equal(t, to, after.Status)
					assert.Equal(t, []string{string(to)}, hooks.statuses())
					return
				}
				assert.Equal(t, want, body)
				assert.Equal(t, map[bool]int{true: 200, false: 400}[strings.HasPrefix(want, `{"session_id"`)], code)
				assert.Equal(t, from, after.Status)
				assert.Empty(t, hooks.hooks(), "an update without a change sends no webhook")
			})
		}
	}
}

func TestUpdateStatusReadsItsBody(t *testing.T) {
	for name, tc := range map[string]struct {
		from       didit.Status
		body, want string // empty: 200
	}{
		"no body":     {didit.StatusApproved, ``, `{"new_status":["\"\" is not a valid choice."]}`},
		"half a JSON": {didit.StatusApproved, `{`, `{"detail":"JSON parse error."}`},
		"the current status is judged before the body": {didit.StatusInProgress, `{`, `{"detail":"Wrong Current Status"}`},
		"an e-mail without an address":                 {didit.StatusApproved, `{"new_status":"Declined","send_email":true}`, `{"email_address":["This field is required with send_email."]}`},
		"an e-mail with an address":                    {didit.StatusApproved, `{"new_status":"Declined","send_email":true,"email_address":"a@b.example"}`, ""},
		"a node that does not exist":                   {didit.StatusDeclined, `{"new_status":"Resubmitted","nodes_to_resubmit":[{"node_id":"x","feature":"OCR"}]}`, `{"nodes_to_resubmit":[{"node_id":["Node not found."]}]}`},
		"nothing to repeat after an approval":          {didit.StatusApproved, `{"new_status":"Resubmitted"}`, `{"detail":"No features found that need resubmission"}`},
		"the failed step after a decline":              {didit.StatusDeclined, `{"new_status":"Resubmitted"}`, ""},
		"the doubted step in a review":                 {didit.StatusInReview, `{"new_status":"Resubmitted"}`, ""},
		"the unfinished step of an abandoned session":  {didit.StatusAbandoned, `{"new_status":"Resubmitted"}`, ""},
		"the expired document":                         {didit.StatusKycExpired, `{"new_status":"Resubmitted"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, diditsim.Options{})
			id := b.create(t, "u1").ID
			b.bring(t, id, tc.from)
			code, _, body := b.call(t, "PATCH", "/v3/session/"+id+"/update-status/", apiKey, tc.body)
			if tc.want == "" {
				assert.Equal(t, 200, code)
				assert.Equal(t, `{"session_id":"`+id+`"}`, body)
				return
			}
			assert.Equal(t, 400, code)
			assert.Equal(t, tc.want, body)
		})
	}
}

func TestEveryTransition(t *testing.T) {
	allowed := map[didit.Status][]didit.Status{
		"Not Started":   {"In Progress", "Expired"},
		"In Progress":   {"Approved", "Declined", "In Review", "Abandoned", "Awaiting User"},
		"Awaiting User": {"Approved", "Declined", "In Review"},
		"In Review":     {"Approved", "Declined", "Resubmitted"},
		"Approved":      {"Kyc Expired", "Declined", "Resubmitted", "In Review"},
		"Declined":      {"Resubmitted", "Approved"},
		"Resubmitted":   {"Approved", "Declined", "In Review", "Awaiting User"},
		"Abandoned":     {"Approved", "Declined", "Resubmitted"},
		"Kyc Expired":   {"Approved", "Declined", "Resubmitted"},
		"Expired":       nil,
	}
	b := start(t, diditsim.Options{})
	for _, from := range didit.Statuses() {
		for _, to := range append(didit.Statuses(), "Teleported", "approved", "") {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				id := b.create(t, "").ID
				b.bring(t, id, from)
				err := b.SetStatus(id, to)
				after, _ := b.Session(id)
				if slices.Contains(allowed[from], to) {
					require.NoError(t, err)
					assert.Equal(t, to, after.Status)
					return
				}
				require.ErrorIs(t, err, diditsim.ErrTransition)
				assert.Equal(t, from, after.Status)
			})
		}
	}
	assert.ErrorIs(t, b.SetStatus("nobody", didit.StatusInProgress), diditsim.ErrUnknownSession)
}
