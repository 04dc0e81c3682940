package diditsim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestList(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := start(t, diditsim.Options{Now: func() time.Time { return now }})
	for i := range 25 {
		s := b.create(t, fmt.Sprintf("u%d", i%5))
		if st := []didit.Status{didit.StatusApproved, didit.StatusInReview, didit.StatusDeclined}[i%3]; i < 24 {
			b.bring(t, s.ID, st)
		}
	}
	for name, tc := range map[string]struct {
		query          string
		count, results int
		next, previous bool
	}{
		"all":                         {"", 25, 20, true, false},
		"the second page":             {"?offset=20", 25, 5, false, true},
		"beyond the end":              {"?offset=99", 25, 0, false, true},
		"a small page in the middle":  {"?limit=2&offset=1", 25, 2, true, true},
		"a page that just fits":       {"?limit=25", 25, 25, false, false},
		"nonsense falls back":         {"?limit=-1&offset=x", 25, 20, true, false},
		"one user":                    {"?vendor_data=u4", 5, 5, false, false},
		"nobody":                      {"?vendor_data=nobody", 0, 0, false, false},
		"one status":                  {"?status=In%20Review", 8, 8, false, false},
		"two statuses":                {"?status=In%20Review,Approved", 16, 16, false, false},
		"a status in the wrong case":  {"?status=approved", 0, 0, false, false},
		"the flow":                    {"?workflow_id=" + flow, 25, 20, true, false},
		"another flow":                {"?workflow_id=" + flow2, 0, 0, false, false},
		"several filters":             {"?vendor_data=u0&status=Approved&workflow_id=" + flow, 2, 2, false, false},
		"a country":                   {"?country=ESP", 0, 0, false, false},
		"the country of documents":    {"?country=UTO", 24, 20, true, false},
		"people":                      {"?session_kind=user", 25, 20, true, false},
		"companies":                   {"?session_kind=business", 0, 0, false, false},
		"people and companies":        {"?session_kind=all", 25, 20, true, false},
		"a search":                    {"?search=U3", 5, 5, false, false},
		"a day":                       {"?date_from=2026-11-23&date_to=2026-11-23", 25, 20, true, false},
		"the day before":              {"?date_to=2026-11-22", 0, 0, false, false},
		"a time":                      {"?date_from=2026-11-23T12:00:00%2B00:00", 25, 20, true, false},
		"a second later":              {"?date_from=2026-11-23T12:00:01Z", 0, 0, false, false},
		"a filter it has never heard": {"?colour=red", 25, 20, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, body := b.call(t, "GET", "/v3/sessions/"+tc.query, apiKey, "")
			require.Equal(t, 200, code)
			var page struct {
				Count    int
				Next     *string
				Previous *string
				Results  []map[string]any
			}
			require.NoError(t, json.Unmarshal([]byte(body), &page))
			assert.Equal(t, tc.count, page.Count)
			require.NotNil(t, page.Results)
			assert.Len(t, page.Results, tc.results)
			assert.Equal(t, tc.next, page.Next != nil)
			assert.Equal(t, tc.previous, page.Previous != nil)
			assert.NotContains(t, body, "token")
			assert.NotContains(t, body, "/session/", "a link is a secret")
		})
	}
	t.Run("a client that goes on while there is more sees each session once, the newest first", func(t *testing.T) {
		var numbers []int64
		for more, offset := true, 0; more; {
			p, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{Limit: 10, Offset: offset})
			require.NoError(t, err)
			for _, s := range p.Sessions {
				numbers = append(numbers, s.Number)
			}
			more, offset = p.More, offset+len(p.Sessions)
		}
		assert.Len(t, numbers, 25)
		assert.True(t, slices.IsSortedFunc(numbers, func(a, b int64) int { return int(b - a) }))
	})
	t.Run("a page has a hundred at most", func(t *testing.T) {
		_, _, body := b.call(t, "GET", "/v3/sessions/?limit=200&offset=1", apiKey, "")
		assert.Contains(t, body, `"previous":"`+b.url+`/v3/sessions/?limit=100\u0026offset=0"`)
	})
	t.Run("next is absolute and leads on", func(t *testing.T) {
		_, _, body := b.call(t, "GET", "/v3/sessions/?vendor_data=u1&limit=3", apiKey, "")
		assert.Contains(t, body, `"next":"`+b.url+`/v3/sessions/?limit=3\u0026offset=3\u0026vendor_data=u1"`)
	})
	t.Run("an item reads as it was made", func(t *testing.T) {
		p, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{VendorData: "u4", Limit: 1})
		require.NoError(t, err)
		kept := b.Sessions()[24]
		assert.Equal(t, 5, p.Count)
		assert.Equal(t, kept.ID, p.Sessions[0].ID)
		assert.Equal(t, "u4", p.Sessions[0].VendorData)
		assert.Equal(t, didit.StatusNotStarted, p.Sessions[0].Status)
		assert.WithinDuration(t, kept.CreatedAt, p.Sessions[0].CreatedAt, 0)
	})
}
