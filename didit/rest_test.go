package didit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var testDestination = CreateDestinationRequest{
	Label: "ours", URL: "https://hooks.example/didit", Enabled: true, Events: []string{EventStatusUpdated},
}

const goodDestination = `{"uuid":"` + testID + `","label":"ours","url":"https://hooks.example/didit","enabled":true,` +
	`"webhook_version":"v3","secret_shared_key":"hush-hush","subscribed_events":["status.updated"],` +
	`"created_at":"2026-01-04T08:00:00Z","updated_at":"2026-04-22T14:09:11Z",` +
	`"summary":{"total_deliveries":12,"failed_deliveries":1,"last_delivery_at":"2026-05-17T09:21:18Z"}}`

func TestTheRestOnTheWire(t *testing.T) {
	off := false
	for name, tc := range map[string]struct {
		call         func(context.Context, *Client) error
		method, path string // path with its query
		body, answer string
	}{
		"reviews": {
			func(ctx context.Context, c *Client) error { _, err := c.Reviews(ctx, testID); return err },
			"GET", "/prefix/v3/sessions/" + testID + "/reviews/?limit=100", "", goodPage,
		},
		"flows": {
			func(ctx context.Context, c *Client) error { _, err := c.Flows(ctx); return err },
			"GET", "/prefix/v3/workflows/?limit=100", "", "[]",
		},
		"balance": {
			func(ctx context.Context, c *Client) error { _, err := c.Balance(ctx); return err },
			"GET", "/prefix/v3/billing/balance/", "", `{"balance":"1.00"}`,
		},
		"a user that is deleted": {
			func(ctx context.Context, c *Client) error { _, err := c.DeleteUser(ctx, "user 1"); return err },
			"POST", "/prefix/v3/users/delete/", `{"vendor_data_list":["user 1"]}`, `{"deleted":1}`,
		},
		"the sessions of a user": {
			func(ctx context.Context, c *Client) error { _, err := c.SessionsOf(ctx, "u&1"); return err },
			"GET", "/prefix/v3/sessions/?limit=100&session_kind=all&vendor_data=u%261", "", goodPage,
		},
		"a new destination": {
			func(ctx context.Context, c *Client) error {
				_, err := c.CreateDestination(ctx, testDestination)
				return err
			},
			"POST", "/prefix/v3/webhook/destinations/",
			`{"label":"ours","url":"https://hooks.example/didit","enabled":true,"webhook_version":"v3","subscribed_events":["status.updated"]}`,
			goodDestination,
		},
		"a destination that is switched off": {
			func(ctx context.Context, c *Client) error {
				_, err := c.UpdateDestination(ctx, testID, UpdateDestinationRequest{Enabled: &off})
				return err
			},
			"PATCH", "/prefix/v3/webhook/destinations/" + testID + "/", `{"enabled":false}`, goodDestination,
		},
		"a new flow": {
			func(ctx context.Context, c *Client) error {
				_, err := c.CreateFlow(ctx, CreateFlowRequest{Label: "KYC", Features: []Feature{{"OCR"}, {"LIVENESS"}}})
				return err
			},
			"POST", "/prefix/v3/workflows/", `{"workflow_label":"KYC","features":[{"feature":"OCR"},{"feature":"LIVENESS"}]}`,
			`{"uuid":"` + testFlow + `"}`,
		},
		"deliveries": {
			func(ctx context.Context, c *Client) error {
				day := time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -3600))
				_, err := c.ListDeliveries(ctx, testID, ListDeliveriesRequest{From: day, To: day, Limit: 5, Offset: 10})
				return err
			},
			"GET", "/prefix/v3/webhook/destinations/" + testID + "/deliveries/?date_from=2026-11-24&date_to=2026-11-24&limit=5&offset=10", "", goodPage,
		},
		"a delivery": {
			func(ctx context.Context, c *Client) error {
				_, _, err := c.GetDelivery(ctx, testID, testFlow)
				return err
			},
			"GET", "/prefix/v3/webhook/destinations/" + testID + "/deliveries/" + testFlow + "/", "",
			`{"uuid":"` + testFlow + `","response_status":null,"request_body":"{\"timestamp\":1,\"event_id\":\"e\"}"}`,
		},
		"sessions with all filters": {
			func(ctx context.Context, c *Client) error {
				_, err := c.ListSessions(ctx, ListSessionsRequest{
					WorkflowID: testFlow, Kind: KindBusiness, Search: "x", Statuses: []Status{StatusApproved, StatusInReview},
					From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
				})
				return err
			},
			"GET", "/prefix/v3/sessions/?date_from=2026-11-01&search=x&session_kind=business&status=Approved%2CIn+Review&workflow_id=" + testFlow, "", goodPage,
		},
		"a destination": {
			func(ctx context.Context, c *Client) error { _, err := c.GetDestination(ctx, testID); return err },
			"GET", "/prefix/v3/webhook/destinations/" + testID + "/", "", goodDestination,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				assert.Equal(t, tc.method, r.Method)
				assert.Equal(t, tc.path, r.RequestURI)
				assert.Equal(t, tc.body, string(body))
				assert.Equal(t, testKey, r.Header.Get("x-api-key"))
				_, _ = io.WriteString(w, tc.answer)
			})
			assert.NoError(t, tc.call(t.Context(), c))
		})
	}
	t.Run("health goes without the key", func(t *testing.T) {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "/prefix/system/healthcheck", r.RequestURI)
			assert.NotContains(t, r.Header, "X-Api-Key")
			_, _ = io.WriteString(w, `{"status":"ok"}`)
		})
		assert.NoError(t, c.Health(t.Context()))
	})
}

func TestWhatIsRead(t *testing.T) {
	t.Run("a deletion", func(t *testing.T) {
		c := serve(t, answerWith(200, `{"session_id":"`+testID+`","session_number":7,"face_retention_outcome":"retained_with_user",`+
			`"biometric_template_uuid":"x","biometric_template_expires_at":null,"deleted_child_verifications":2}`))
		d, err := c.DeleteSession(t.Context(), testID, DeleteSessionRequest{})
		require.NoError(t, err)
		assert.Equal(t, DeletedSession{ID: testID, FaceRetentionOutcome: FaceRetainedWithUser, DeletedChildVerifications: 2}, d)
	})
	t.Run("a destination", func(t *testing.T) {
		d, err := serve(t, answerWith(200, goodDestination)).GetDestination(t.Context(), testID)
		require.NoError(t, err)
		assert.Equal(t, Destination{
			ID: testID, Label: "ours", URL: "https://hooks.example/didit", Enabled: true, Version: "v3", Events: []string{"status.updated"},
			Secret: "hush-hush", Deliveries: 12, Failed: 1, LastDelivery: time.Date(2026, 5, 17, 9, 21, 18, 0, time.UTC),
			CreatedAt: time.Date(2026, 1, 4, 8, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2026, 4, 22, 14, 9, 11, 0, time.UTC),
		}, d)
		assert.Equal(t, "hush-hush", d.Secret.Reveal())
	})
	t.Run("a list of destinations, which has no secrets", func(t *testing.T) {
		all, err := serve(t, answerWith(200, `[{"uuid":"`+testID+`","label":"a","url":"https://h.example","enabled":false,"webhook_version":"v2",`+
			`"subscribed_events":["data.updated"],"secret_last4":"hush","health_status":"failing","deliveries_count":3,"failed_deliveries_count":2,`+
			`"last_delivery_at":null}]`)).ListDestinations(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []Destination{{
			ID: testID, Label: "a", URL: "https://h.example", Version: "v2", Events: []string{"data.updated"}, Health: "failing", Deliveries: 3, Failed: 2,
		}}, all)
	})
	t.Run("reviews, of which the actor stays behind", func(t *testing.T) {
		all, err := serve(t, answerWith(200, `{"count":2,"next":null,"results":[`+
			`{"uuid":"`+testID+`","activity_type":"STATUS_UPDATED","actor_display":"Jo","actor_email":"jo@example.com","actor_type":"CONSOLE_USER",`+
			`"new_status":"Approved","previous_status":"In Review","comment":"T-1","created_at":"2026-06-12T00:19:31.5Z"},`+
			`{"new_status":null,"previous_status":null,"comment":null,"created_at":null}]}`)).Reviews(t.Context(), testID)
		require.NoError(t, err)
		assert.Equal(t, []Review{{
			ID: testID, Activity: "STATUS_UPDATED", ActorType: "CONSOLE_USER", NewStatus: StatusApproved, PreviousStatus: StatusInReview,
			Comment: "T-1", CreatedAt: time.Date(2026, 6, 12, 0, 19, 31, 500_000_000, time.UTC),
		}, {}}, all)
		assert.NotContains(t, fmt.Sprintf("%+v %#v", all, all), "T-1")
	})
	t.Run("reviews in the older shape", func(t *testing.T) {
		all, err := serve(t, answerWith(200, `[{"id":1,"action":"status_change","old_status":"In Review","new_status":"Approved","note":"ok"}]`)).Reviews(t.Context(), testID)
		require.NoError(t, err)
		assert.Equal(t, []Review{{NewStatus: StatusApproved, PreviousStatus: StatusInReview, Comment: "ok"}}, all)
	})
	t.Run("flows in both shapes", func(t *testing.T) {
		row := `{"uuid":"` + testID + `","workflow_id":"` + testFlow + `","workflow_label":"KYC","workflow_type":"kyc","status":"published","version":2,"is_default":true,"total_price":"0.15"}`
		want := []Flow{{ID: testFlow, VersionID: testID, Label: "KYC", Kind: "kyc", Status: "published", Version: 2, Default: true}}
		for _, answer := range []string{"[" + row + "]", `{"count":1,"next":null,"results":[` + row + `]}`} {
			all, err := serve(t, answerWith(200, answer)).Flows(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, all)
		}
		all, err := serve(t, answerWith(200, `[{"uuid":"`+testFlow+`"}]`)).Flows(t.Context())
		require.NoError(t, err)
		assert.Equal(t, testFlow, all[0].ID, "older answers have one id for both")
		assert.True(t, all[0].Usable())
		assert.False(t, Flow{Status: "draft"}.Usable())
		assert.False(t, Flow{Archived: true}.Usable())
	})
	for answer, want := range map[string]Balance{
		`{"balance":"142.5000","auto_refill_enabled":true,"auto_refill_amount":"50.00","auto_refill_threshold":"10"}`: {"142.5000", true, "50.00", "10"},
		`{"balance":-3.5,"auto_refill_amount":null,"auto_refill_threshold":"call us"}`:                                {Amount: "-3.5"},
	} {
		got, err := serve(t, answerWith(200, answer)).Balance(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}
