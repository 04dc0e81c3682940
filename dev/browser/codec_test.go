//go:build browser

package browser

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/chrome"
	"didit-temporal/internal/codecserver"
	"didit-temporal/kyc/codec"
)

// What the Web UI shows must have come through the codec server: its own server has nothing readable.
func hasNothingReadable(t *testing.T, ui, workflowID string) {
	t.Helper()
	res, err := http.Get(ui + "/api/v1/namespaces/default/workflows/" + workflowID + "/history")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(text))
	require.Contains(t, string(text), base64.StdEncoding.EncodeToString([]byte(codec.Encoding)))
	require.NotContains(t, string(text), base64.StdEncoding.EncodeToString([]byte(`{"user_id`)), "an input in base64")
	require.NotContains(t, string(text), "user_id")
}

// The Web UI's way to a codec server that asks for a token, in a real browser: a cookie that another port has set.
func TestTheBrowserBringsTheSessionOfLogin(t *testing.T) {
	page := chrome.Open(t)
	const token, secret = "0123456789abcdef-of-an-operator", "MARKER-secret"
	keys, err := codec.ParseKeys(codec.Demo)
	require.NoError(t, err)
	p, err := converter.GetDefaultDataConverter().ToPayload(secret)
	require.NoError(t, err)
	sealed, err := keys.Codec().Encode([]*commonpb.Payload{p})
	require.NoError(t, err)
	body, err := json.Marshal(&commonpb.Payloads{Payloads: sealed})
	require.NoError(t, err)

	blank := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<p id=cookies>"+r.Header.Get("Cookie")+"</p>")
	})
	ui, evil := httptest.NewServer(blank), httptest.NewServer(blank)
	defer ui.Close()
	defer evil.Close()
	server := httptest.NewServer(codecserver.New(codecserver.Options{
		Codec: keys.Codec(), Tokens: []string{token}, Origins: []string{ui.URL}, Log: slog.New(slog.DiscardHandler),
	}))
	defer server.Close()

	decode := `fetch("` + server.URL + `/decode?preserveStorageRefs=true", {method: "POST", credentials: "include",
		headers: {"Content-Type": "application/json", "X-Namespace": "default"}, body: ` + "`" + string(body) + "`" + `})
		.then(r => r.ok ? r.json().then(p => atob(p.payloads[0].data)) : String(r.status), () => "blocked")`
	from := func(site string) string {
		require.NoError(t, chromedp.Do(page, chromedp.Navigate(site), chromedp.WaitVisible(chromedp.CSS("#cookies"))))
		got, err := chromedp.Run(page, chromedp.Evaluate[string](decode, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		return got
	}
	require.Equal(t, "401", from(ui.URL))
	require.NoError(t, chromedp.Do(page, chromedp.Navigate(server.URL+"/login"), chromedp.WaitVisible(chromedp.CSS("input")),
		chromedp.SendKeys(chromedp.CSS("input"), token), chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS("#done"))))
	require.Equal(t, `"`+secret+`"`, from(ui.URL))
	require.Equal(t, "blocked", from(evil.URL), "another site's page, in the same browser")
	require.NoError(t, chromedp.Do(page, chromedp.Navigate(ui.URL)))
	got, err := chromedp.Run(page, chromedp.Evaluate[string](`document.querySelector("#cookies").innerText`))
	require.NoError(t, err)
	require.Empty(t, got, "the cookie goes to the codec server only")
}
