package diditsim_test

import (
	"slices"
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
	node := []didit.Node{{NodeID: "feature_face_1", Feature: "FACE_MATCH"}}
	for _, from := range didit.Statuses() {
		for _, to := range didit.Statuses() {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				hooks := receive(t, nil)
				b := start(t, diditsim.Options{})
				id := b.create(t, "u1").ID
				b.bring(t, id, from)
				b.SetWebhook(hooks.url, secret)
				err := b.api.UpdateStatus(t.Context(), id, didit.UpdateStatusRequest{NewStatus: to, NodesToResubmit: node})
				after, _ := b.Session(id)
				b.settle(t)
				switch {
				case !slices.Contains(changeable, from):
					assert.Equal(t, didit.APIError{Op: "update status", StatusCode: 400, Detail: "Wrong Current Status"}, *refusal(t, err))
				case to != didit.StatusApproved && to != didit.StatusDeclined && to != didit.StatusResubmitted:
					assert.Equal(t, "new_status: Not a valid choice.", refusal(t, err).Detail)
				case from == didit.StatusResubmitted && to == from:
					assert.Equal(t, "The new status is the same as the current status.", refusal(t, err).Detail)
				case from == to:
					require.NoError(t, err)
				default:
					require.NoError(t, err)
					assert.Equal(t, to, after.Status)
					assert.Equal(t, []string{string(to)}, hooks.statuses())
					return
				}
				assert.Equal(t, from, after.Status)
				assert.Empty(t, hooks.hooks(), "what changes nothing tells nobody")
			})
		}
	}
}

func TestUpdateStatusReadsItsBody(t *testing.T) {
	for name, tc := range map[string]struct {
		from       didit.Status
		body, want string // empty: 200
	}{
		"no body":     {didit.StatusApproved, ``, `{"new_status":"Not a valid choice."}`},
		"half a JSON": {didit.StatusApproved, `{`, `{"detail":"JSON parse error."}`},
		"the current status is judged before the body": {didit.StatusInProgress, `{`, `{"detail":"Wrong Current Status"}`},
		"an e-mail without an address":                 {didit.StatusApproved, `{"new_status":"Declined","send_email":true}`, `{"email_address":"This field is required with send_email."}`},
		"an e-mail with an address":                    {didit.StatusApproved, `{"new_status":"Declined","send_email":true,"email_address":"a@b.example"}`, ""},
		"a node that does not exist":                   {didit.StatusDeclined, `{"new_status":"Resubmitted","nodes_to_resubmit":[{"node_id":"x","feature":"OCR"}]}`, `{"nodes_to_resubmit":"Node not found."}`},
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
		"Approved":      {"Kyc Expired", "Declined", "Resubmitted"},
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
