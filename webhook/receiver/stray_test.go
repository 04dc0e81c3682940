package receiver_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/webhook/receiver"
)

// Didit follows no redirect and does not send again after one.
func TestThePathWithASlashIsServed(t *testing.T) {
	s := newSite(t, nil, nil)
	req := signed(approval(nil))
	req.URL.Path += "/"
	require.Equal(t, http.StatusOK, s.post(req).Code)
	require.Len(t, s.delivered, 1)
}

func TestWhatMissesTheRoutesIsCountedAndLogged(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path string
		code         int
		why          receiver.Stray
		says         string
	}{
		"two slashes":         {http.MethodPost, "//webhooks/didit", 404, receiver.StrayPath, "path=//webhooks/didit"},
		"another number":      {http.MethodPost, "/webhook/didit", 404, receiver.StrayPath, "path=/webhook/didit"},
		"capital letters":     {http.MethodPost, "/Webhooks/Didit", 404, receiver.StrayPath, "path=/Webhooks/Didit"},
		"the root":            {http.MethodPost, "/", 404, receiver.StrayPath, "path=/ "},
		"a longer path":       {http.MethodPost, "/api/PERSONAL/webhooks/didit", 404, receiver.StrayPath, "path=/api/*/webhooks/didit"},
		"a path of many":      {http.MethodPost, "/a/b/c/d/e/f/g/h/i/PERSONAL", 404, receiver.StrayPath, "path=/*/*/*/*/*/*/*/*"},
		"GET":                 {http.MethodGet, "/webhooks/didit", 405, receiver.StrayMethod, "path=/webhooks/didit"},
		"PUT, with a slash":   {http.MethodPut, "/webhooks/didit/", 405, receiver.StrayMethod, "path=/webhooks/didit/"},
		"POST for the health": {http.MethodPost, "/healthz", 405, receiver.StrayMethod, "path=/healthz"},
	} {
		t.Run(name, func(t *testing.T) {
			var why []receiver.Stray
			s := newSite(t, nil, nil, func(o *receiver.Options) { o.Misrouted = func(w receiver.Stray) { why = append(why, w) } })
			req := httptest.NewRequest(tc.method, "/", nil)
			req.URL.Path = tc.path
			w := s.post(req)
			assert.Equal(t, tc.code, w.Code)
			assert.Empty(t, w.Header().Get("Location"))
			assert.Equal(t, []receiver.Stray{tc.why}, why)
			assert.Contains(t, s.log.String(), tc.says)
			assert.NotContains(t, s.log.String(), "PERSONAL")
		})
	}
}
