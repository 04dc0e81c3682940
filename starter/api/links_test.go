package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/kyc"
)

func TestLinksOfAppsAreTakenWhereTheOperatorListsThem(t *testing.T) {
	for link, want := range map[string]int{
		"https://shop.example/done":    http.StatusCreated,
		"myapp://done":                 http.StatusCreated,
		"MyApp://done?x=1":             http.StatusCreated,
		"otherapp://done":              http.StatusBadRequest,
		"javascript://done/%0aalert()": http.StatusBadRequest,
		"javascript:alert()":           http.StatusBadRequest,
		"data:text/html,x":             http.StatusBadRequest,
		"myapp:done":                   http.StatusBadRequest,
		"myapp://u:p@done":             http.StatusBadRequest,
	} {
		b := newBench(t, func(o *Options) { o.ReturnSchemes = []string{"myapp", "javascript"} })
		b.fake.start = func(context.Context, kyc.Input) (kyc.Started, error) { return newOne("u1"), nil }
		rec := b.post(`{"user_id":"u1","return_url":"` + link + `"}`)
		assert.Equal(t, want, rec.Code, link)
		if want == http.StatusBadRequest {
			assert.Zero(t, b.calls, link)
			assert.Contains(t, rec.Body.String(), "return_url", link)
		}
	}
	b := newBench(t, nil)
	rec := b.post(`{"user_id":"u1","return_url":"myapp://done"}`)
	assert.Equal(t, http.StatusBadRequest, rec.Code)
	assert.Contains(t, rec.Body.String(), "add it to RETURN_URL_SCHEMES")
}
