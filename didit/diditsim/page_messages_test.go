package diditsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

// inFrame asks for the page as a browser does for a frame.
func (b bundle) inFrame(t *testing.T, method, token string, form url.Values) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+"/session/"+token, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Dest", "iframe")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	page, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(page)
}

type posted struct {
	Type string         `json:"type"`
	Data map[string]any `json:"data"`
}

var posts = regexp.MustCompile(`of (\[.*\])\) post`)

func messages(t *testing.T, page string) []posted {
	t.Helper()
	m := posts.FindStringSubmatch(page)
	require.Len(t, m, 2, page)
	var all []posted
	require.NoError(t, json.Unmarshal([]byte(m[1]), &all))
	return all
}

func TestThePageInAFramePostsTheMessagesOfTheWebSDK(t *testing.T) {
	b := start(t, diditsim.Options{})
	all := map[string]bool{"didit:close_request": false, "didit:cancelled": false}
	for st, last := range map[didit.Status]posted{
		didit.StatusNotStarted: {"didit:step_started", map[string]any{"step": "OCR"}},
		didit.StatusApproved:   {"didit:completed", map[string]any{"status": "Approved"}},
		didit.StatusDeclined:   {"didit:completed", map[string]any{"status": "Declined"}},
		didit.StatusInReview:   {"didit:completed", map[string]any{"status": "Pending"}},
		didit.StatusAbandoned:  {"didit:cancelled", map[string]any{}},
		didit.StatusExpired:    {"didit:error", map[string]any{"error": "sessionExpired"}},
	} {
		s := b.session(t, b.flow(t, "OCR", "EMAIL_VERIFICATION"), string("u-"+st))
		b.bring(t, s.ID, st)
		res, page := b.inFrame(t, "GET", s.Token, nil)
		assert.Equal(t, 200, res.StatusCode)
		nonce := regexp.MustCompile(`<script nonce="([^"]+)">`).FindStringSubmatch(page)
		require.Len(t, nonce, 2)
		assert.Contains(t, res.Header.Get("Content-Security-Policy"), "script-src 'nonce-"+nonce[1]+"'")
		got := messages(t, page)
		for _, m := range got {
			assert.Equal(t, s.ID, m.Data["sessionId"])
			all[m.Type] = true
		}
		last.Data["sessionId"] = s.ID
		assert.Equal(t, last, got[len(got)-1], st)
		for kind := range all {
			all[kind] = all[kind] || strings.Contains(page, `data-message="`+kind+`"`)
		}
	}
	assert.Len(t, all, 16)
	for kind, seen := range all {
		assert.True(t, seen, kind)
	}
	res, page := b.inFrame(t, "GET", "unknown", nil)
	assert.Equal(t, 404, res.StatusCode)
	assert.Equal(t, "didit:error", messages(t, page)[0].Type)
}

func TestAFrameIsNotRedirected(t *testing.T) {
	b := start(t, diditsim.Options{})
	s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, Callback: "myapp://done"})
	require.NoError(t, err)
	res, _ := b.inFrame(t, "POST", s.Token, url.Values{"action": {"review"}})
	assert.Equal(t, s.Token, res.Header.Get("Location"), "its messages say the rest")
	res, _ = b.inFrame(t, "POST", s.Token, url.Values{"action": {"resubmit"}})
	assert.Equal(t, 303, res.StatusCode)
	_, header, _ := b.call(t, "POST", "/session/"+s.Token, "", "action=approve")
	assert.Equal(t, "myapp://done?status=Approved&verificationSessionId="+s.ID, header.Get("Location"), "a link of an app")
}
