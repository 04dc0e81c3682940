package stack

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachCallbackIsVerifiedAndPrinted(t *testing.T) {
	hook, err := standardwebhooks.NewWebhook(resultsSecret)
	require.NoError(t, err)
	var out bytes.Buffer
	body := `{"type":"verification.completed","data":{"user_id":"demo","status":"Approved","outcome":"approved"}}`
	send := func(secretOf *standardwebhooks.Webhook) int {
		signature, err := secretOf.Sign("msg-1", time.Now(), []byte(body))
		require.NoError(t, err)
		req := httptest.NewRequest(http.MethodPost, "/results", strings.NewReader(body))
		req.Header.Set("Webhook-Id", "msg-1")
		req.Header.Set("Webhook-Timestamp", strconv.FormatInt(time.Now().Unix(), 10))
		req.Header.Set("Webhook-Signature", signature)
		rec := httptest.NewRecorder()
		results{hook: hook, out: &out}.ServeHTTP(rec, req)
		return rec.Code
	}
	assert.Equal(t, http.StatusNoContent, send(hook))
	assert.Equal(t, "callback verification.completed, verified: user demo, status \"Approved\", outcome \"approved\"\n  "+body+"\n", out.String())

	out.Reset()
	other, err := standardwebhooks.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, send(other))
	assert.Contains(t, out.String(), "callback REFUSED")
	assert.NotContains(t, out.String(), "demo", "what is not verified is not shown")
}
