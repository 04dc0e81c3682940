package api

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

func TestOnlyCallersWithATokenGetIn(t *testing.T) {
	for name, tc := range map[string]struct {
		headers []string
		code    int
		says    string
	}{
		"the token":                {[]string{"Bearer " + token}, http.StatusCreated, ""},
		"the next token":           {[]string{"Bearer " + newToken}, http.StatusCreated, ""},
		"another caller's":         {[]string{"bearer   " + opsToken}, http.StatusCreated, ""},
		"none":                     {nil, http.StatusUnauthorized, "is missing"},
		"an empty header":          {[]string{""}, http.StatusUnauthorized, "not one of STARTER_TOKENS"},
		"only the scheme":          {[]string{"Bearer "}, http.StatusUnauthorized, "not one of"},
		"no scheme":                {[]string{token}, http.StatusUnauthorized, "not one of"},
		"another scheme":           {[]string{"Basic " + token}, http.StatusUnauthorized, "not one of"},
		"with the caller's name":   {[]string{"Bearer shop:" + token}, http.StatusUnauthorized, "without the name before it"},
		"the beginning of a token": {[]string{"Bearer " + token[:20]}, http.StatusUnauthorized, "not one of"},
		"more than a token":        {[]string{"Bearer " + token + "x"}, http.StatusUnauthorized, "not one of"},
		"two headers":              {[]string{"Bearer " + token, "Bearer " + token}, http.StatusUnauthorized, "not one of"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) { return newOne("u1"), nil }
			rec := b.request(http.MethodPost, Path, `{"user_id":"u1"}`, func(r *http.Request) { r.Header["Authorization"] = tc.headers })
			require.Equal(t, tc.code, rec.Code)
			assert.NotContains(t, b.log.String(), "s3cret")
			if tc.code == http.StatusCreated {
				return
			}
			assert.True(t, strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer "))
			p := problemIn(t, rec)
			assert.Equal(t, unauthorized.name, p.name())
			assert.Contains(t, p.Detail, tc.says)
			assert.Zero(t, b.calls)
		})
	}
}

func TestRequestIDs(t *testing.T) {
	for given, kept := range map[string]bool{
		"checkout-42": true, "0193d1f2-7a3b-7c4d-8e5f-60718293a4b5": true,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": true, strings.Repeat("a", 64): true,
		"": false, "a b": false, "a\tb": false, "<script>": false, "ü": false, strings.Repeat("a", 65): false, "-flag": false,
		"jo@example.com": false, "a/b": false, "a:b": false, "a=b": false,
	} {
		b := newBench(t, nil)
		rec := b.request(http.MethodGet, "/nowhere", "", header(headerRequestID, given))
		id := rec.Header().Get(headerRequestID)
		assert.Equal(t, kept, id == given, given)
		assert.Contains(t, b.log.String(), id)
		assert.NotContains(t, b.log.String(), "@")
		if !kept {
			made, err := uuid.Parse(id)
			require.NoError(t, err)
			assert.Equal(t, uuid.Version(7), made.Version())
			assert.Equal(t, "urn:uuid:"+id, problemIn(t, rec).Instance)
		}
	}
}

func TestTheAccessLogNamesTheRouteAndTheCaller(t *testing.T) {
	b := newBench(t, nil)
	b.fake.find = func(context.Context, string) (kyc.Found, error) { return kyc.Found{}, kyc.ErrNotFound }
	b.request(http.MethodGet, Path+"/u1?wait=0s", "", header("Authorization", "Bearer "+opsToken))
	b.request("SPY", "/some/hunter2", "", nil)
	var lines []string
	for s := bufio.NewScanner(&b.log); s.Scan(); {
		lines = append(lines, s.Text())
	}
	require.Len(t, lines, 2)
	for _, want := range []string{
		"level=INFO", `msg="api request"`, "method=GET", "route=/v1/verifications/:user_id", "status=404", "duration=", "request_id=",
		"caller=operations", "user_id=u1", "no such verification",
	} {
		assert.Contains(t, lines[0], want)
	}
	assert.NotContains(t, lines[0], "wait")
	assert.Contains(t, lines[1], `method=other route="" status=404`)
	assert.NotContains(t, lines[1], "hunter2")
}

func TestAPanicIsAProblemWithoutItsText(t *testing.T) {
	b := newBench(t, nil)
	b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) { panic("hunter2") }
	rec := b.post(`{"user_id":"u1"}`)
	assert.NotContains(t, rec.Body.String()+b.log.String(), "hunter2")
	assert.Contains(t, b.log.String(), "panic in a handler")
	assert.Contains(t, b.log.String(), "status=500")
	assert.Equal(t, internal.name, problemIn(t, rec).name())
}
