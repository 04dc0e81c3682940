package codecserver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/internal/codecserver"
	"didit-temporal/kyc/codec"
)

const (
	token   = "0123456789abcdef-of-an-operator"
	second  = "fedcba9876543210-of-another-one"
	webUI   = "http://127.0.0.1:8233"
	secret  = "MARKER-https://verify.didit.me/session/s3cret"
	oneBody = `{"payloads":[]}`
)

// bench is a codec server with a clock that tests set.
type bench struct {
	t    *testing.T
	h    http.Handler
	keys codec.Keys
	logs bytes.Buffer
	now  time.Time
}

func newBench(t *testing.T, tokens ...string) *bench {
	t.Helper()
	entry, err := codec.Generate("k1")
	require.NoError(t, err)
	keys, err := codec.ParseKeys(entry)
	require.NoError(t, err)
	b := &bench{t: t, keys: keys, now: time.Unix(1_800_000_000, 0)}
	b.h = b.server(tokens...)
	return b
}

func (b *bench) server(tokens ...string) http.Handler {
	return codecserver.New(codecserver.Options{
		Codec: b.keys.Codec(), Tokens: tokens, Origins: []string{webUI, "http://localhost:8233"},
		Log: slog.New(slog.NewTextHandler(&b.logs, nil)), Now: func() time.Time { return b.now },
	})
}

func (b *bench) do(method, path, body string, headers ...string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	return w.Result()
}

func (b *bench) sealed() string {
	b.t.Helper()
	p, err := converter.GetDefaultDataConverter().ToPayload(secret)
	require.NoError(b.t, err)
	out, err := b.keys.Codec().Encode([]*commonpb.Payload{p})
	require.NoError(b.t, err)
	text, err := json.Marshal(&commonpb.Payloads{Payloads: out})
	require.NoError(b.t, err)
	return string(text)
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(text)
}

const bearer = "Bearer " + token

func TestDecodesAndEncodesWithTheSDKsOwnClient(t *testing.T) {
	b := newBench(t, token, second)
	srv := httptest.NewServer(b.h)
	defer srv.Close()
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{Endpoint: srv.URL, ModifyRequest: func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+second)
		r.Header.Set("X-Namespace", "default")
		return nil
	}})
	p, err := converter.GetDefaultDataConverter().ToPayload(secret)
	require.NoError(t, err)
	sealed, err := remote.Encode([]*commonpb.Payload{p})
	require.NoError(t, err)
	assert.Equal(t, codec.Encoding, string(sealed[0].Metadata[converter.MetadataEncoding]))
	opened, err := remote.Decode(append(sealed, p))
	require.NoError(t, err)
	assert.Equal(t, `"`+secret+`"`, string(opened[0].Data))
	assert.Equal(t, `"`+secret+`"`, string(opened[1].Data), "what is plain stays so")
	assert.Contains(t, b.logs.String(), "path=/decode status=200 namespace=default")
	assert.NotContains(t, b.logs.String(), "MARKER")
	assert.NotContains(t, b.logs.String(), second)
}

func TestWhoMayAsk(t *testing.T) {
	b := newBench(t, token)
	for name, tc := range map[string]struct {
		headers []string
		want    int
	}{
		"a token":                         {[]string{"Authorization", bearer}, 200},
		"a token from the Web UI":         {[]string{"Authorization", "bearer " + token, "Origin", webUI}, 200},
		"no token":                        {nil, 401},
		"an empty token":                  {[]string{"Authorization", "Bearer "}, 401},
		"a wrong token":                   {[]string{"Authorization", bearer + "x"}, 401},
		"half a token":                    {[]string{"Authorization", bearer[:20]}, 401},
		"another scheme":                  {[]string{"Authorization", "Basic " + token}, 401},
		"the Web UI without a token":      {[]string{"Origin", webUI}, 401},
		"another page with a token":       {[]string{"Authorization", bearer, "Origin", "http://evil.example"}, 403},
		"a longer origin":                 {[]string{"Authorization", bearer, "Origin", webUI + "0"}, 403},
		"a page without an origin":        {[]string{"Authorization", bearer, "Origin", "null"}, 403},
		"a cookie that is made up":        {[]string{"Origin", webUI, "Cookie", "codec_session=9999999999.00"}, 401},
		"a cookie that is the token":      {[]string{"Origin", webUI, "Cookie", "codec_session=" + token}, 401},
		"another type":                    {[]string{"Authorization", bearer, "Content-Type", "text/plain"}, 415},
		"a form, which needs no question": {[]string{"Authorization", bearer, "Content-Type", "application/x-www-form-urlencoded"}, 415},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/decode?preserveStorageRefs=true", "/encode"} {
				res := b.do(http.MethodPost, path, b.sealed(), tc.headers...)
				assert.Equal(t, tc.want, res.StatusCode)
				if tc.want != 200 {
					assert.NotContains(t, read(t, res), "MARKER")
				}
			}
		})
	}
	assert.NotContains(t, b.logs.String(), token)
}

func TestOnlyTheWebUIMayShowTheAnswer(t *testing.T) {
	b := newBench(t, token)
	ask := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-namespace"}
	for _, origin := range []string{webUI, "http://localhost:8233"} {
		res := b.do(http.MethodOptions, "/decode", "", append(ask, "Origin", origin)...)
		assert.Equal(t, http.StatusNoContent, res.StatusCode)
		assert.Equal(t, origin, res.Header.Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "true", res.Header.Get("Access-Control-Allow-Credentials"))
		assert.Equal(t, "POST", res.Header.Get("Access-Control-Allow-Methods"))
		assert.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "X-Namespace")
		assert.Equal(t, "Origin", res.Header.Get("Vary"))
	}
	for _, origin := range []string{"http://evil.example", "null", "http://127.0.0.1:8234", "https://127.0.0.1:8233"} {
		res := b.do(http.MethodOptions, "/decode", "", append(ask, "Origin", origin)...)
		assert.Equal(t, http.StatusForbidden, res.StatusCode, origin)
		assert.Empty(t, res.Header.Get("Access-Control-Allow-Origin"), origin)
	}
	res := b.do(http.MethodPost, "/decode", oneBody, "Origin", webUI)
	assert.Equal(t, webUI, res.Header.Get("Access-Control-Allow-Origin"), "the page must be able to read that it lacks a token")
}

func TestBadRequests(t *testing.T) {
	b := newBench(t, token)
	entry, err := codec.Generate("gone")
	require.NoError(t, err)
	b.keys, err = codec.ParseKeys(entry)
	require.NoError(t, err)
	foreign := b.sealed()
	for name, tc := range map[string]struct {
		method, path, body string
		want               int
		says               string
	}{
		"a GET":                  {http.MethodGet, "/decode", "", 405, ""},
		"a PUT":                  {http.MethodPut, "/decode", oneBody, 405, ""},
		"another path":           {http.MethodPost, "/x/decode", oneBody, 404, ""},
		"no JSON":                {http.MethodPost, "/decode", "x", 400, ""},
		"a key that is not here": {http.MethodPost, "/decode", foreign, 400, `encrypted with key "gone", and only k1 at hand`},
		"too much":               {http.MethodPost, "/decode", strings.Repeat(" ", 8<<20+1), 413, "too large"},
		"alive":                  {http.MethodGet, "/healthz", "", 200, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			res := b.do(tc.method, tc.path, tc.body, "Authorization", bearer)
			assert.Equal(t, tc.want, res.StatusCode)
			assert.Contains(t, read(t, res), tc.says)
			assert.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
			assert.Equal(t, "no-store", res.Header.Get("Cache-Control"))
			assert.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")
		})
	}
	assert.Contains(t, b.logs.String(), `level=WARN msg="payloads cannot be decrypted"`)
}

func (b *bench) login(token string, headers ...string) *http.Response {
	b.t.Helper()
	return b.do(http.MethodPost, "/login", url.Values{"token": {token}}.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func TestLoginLetsTheWebUIOfThisBrowserIn(t *testing.T) {
	b := newBench(t, second, token)
	res := b.do(http.MethodGet, "/login", "")
	assert.Equal(t, 200, res.StatusCode)
	assert.Contains(t, read(t, res), `name="token"`)

	res = b.login(" "+token+"\n", "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin")
	require.Equal(t, 200, res.StatusCode)
	assert.Contains(t, read(t, res), webUI)
	cookies := res.Cookies()
	require.Len(t, cookies, 2)
	for i, path := range []string{"/decode", "/encode"} {
		c := cookies[i]
		assert.Equal(t, path, c.Path)
		assert.True(t, c.HttpOnly)
		assert.Equal(t, http.SameSiteStrictMode, c.SameSite)
		assert.Equal(t, 12*3600, c.MaxAge)
		assert.NotContains(t, c.Value, token)
	}
	cookie := "codec_session=" + cookies[0].Value
	decode := func(headers ...string) int {
		return b.do(http.MethodPost, "/decode", b.sealed(), headers...).StatusCode
	}
	assert.Equal(t, 200, decode("Cookie", cookie, "Origin", webUI))
	assert.Equal(t, 403, decode("Cookie", cookie, "Origin", "http://evil.example"))
	assert.Equal(t, 401, decode("Cookie", cookie), "from no page")
	assert.Equal(t, 401, decode("Cookie", cookie[:len(cookie)-1], "Origin", webUI))
	end := strings.Split(cookies[0].Value, ".")[0]
	assert.Equal(t, 401, decode("Cookie", strings.Replace(cookie, end, "9"+end, 1), "Origin", webUI), "made longer")

	b.now = b.now.Add(12*time.Hour - time.Second)
	assert.Equal(t, 200, decode("Cookie", cookie, "Origin", webUI))
	b.now = b.now.Add(time.Second)
	assert.Equal(t, 401, decode("Cookie", cookie, "Origin", webUI), "over")
	b.now = b.now.Add(-time.Hour)
	b.h = b.server(token)
	assert.Equal(t, 200, decode("Cookie", cookie, "Origin", webUI), "after a restart")
	b.h = b.server(second)
	assert.Equal(t, 401, decode("Cookie", cookie, "Origin", webUI), "the token was taken away")
}

func TestLoginRefuses(t *testing.T) {
	b := newBench(t, token)
	for _, wrong := range []string{"", "hunter2", token + "x"} {
		res := b.login(wrong)
		assert.Equal(t, http.StatusUnauthorized, res.StatusCode)
		assert.Empty(t, res.Cookies())
		assert.Contains(t, read(t, res), "no token of this server")
	}
	assert.Equal(t, http.StatusForbidden, b.login(token, "Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.login(strings.Repeat("x", 1<<20)).StatusCode)
	assert.NotContains(t, b.logs.String(), "hunter2")
	assert.NotContains(t, b.logs.String(), token)
}

func TestTheCookieNeedsTLSWhereTheWebUIHasIt(t *testing.T) {
	b := newBench(t, token)
	assert.False(t, b.login(token).Cookies()[0].Secure)
	b.h = codecserver.New(codecserver.Options{Codec: b.keys.Codec(), Tokens: []string{token}, Origins: []string{"https://temporal.example"}, Log: slog.New(slog.DiscardHandler)})
	assert.True(t, b.login(token).Cookies()[0].Secure)
}

func TestWithoutTokensEveryPageOfTheRightOriginMayDecrypt(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, 200, b.do(http.MethodPost, "/decode", b.sealed(), "Origin", webUI).StatusCode)
	assert.Equal(t, 403, b.do(http.MethodPost, "/decode", b.sealed(), "Origin", "http://evil.example").StatusCode)
	assert.Contains(t, read(t, b.do(http.MethodGet, "/login", "")), "no tokens")
}
