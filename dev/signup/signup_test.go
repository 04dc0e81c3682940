package signup

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBrowserGetsNoToken(t *testing.T) {
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+string(body))
		_, _ = io.WriteString(w, `{"user_id":"x","session_token":"t0ken","url":"https://verify.example/s","status":"Not Started","outcome":"","checks":[]}`)
	}))
	defer api.Close()
	shop := httptest.NewServer(New(Options{API: api.URL, Token: "s3cret", Public: "https://shop.example"}))
	defer shop.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	get := func(method, path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, shop.URL+path, http.NoBody)
		require.NoError(t, err)
		res, err := browser.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text)
	}
	code, _ := get("POST", "/start")
	require.Equal(t, http.StatusBadRequest, code, "no cookie, no user")
	_, page := get("GET", "/?status=Approved&verificationSessionId=x")
	require.Contains(t, page, "Open an account")
	_, started := get("POST", "/start")
	require.JSONEq(t, `{"url":"https://verify.example/s","status":"Not Started","outcome":""}`, started)
	_, _ = get("GET", "/state?wait=20s")
	require.Len(t, asked, 2)
	require.Regexp(t, `^POST /v1/verifications Bearer s3cret \{"return_url":"https://shop.example/","user_id":"signup-\w+"\}$`, asked[0])
	require.Regexp(t, `^GET /v1/verifications/signup-\w+\?wait=20s Bearer s3cret $`, asked[1])
	code, _ = get("GET", "/sdk.js")
	require.Equal(t, http.StatusNotFound, code)
	require.False(t, strings.Contains(page+started, "s3cret") || strings.Contains(page+started, "t0ken"))
}
