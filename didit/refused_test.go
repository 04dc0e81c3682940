package didit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMoreBadResponses(t *testing.T) {
	for name, tc := range map[string]struct{ op, body string }{
		"a deletion of another session":       {"delete session", `{"session_id":"` + testFlow + `"}`},
		"a deletion with a page of HTML":      {"delete session", `<html>`},
		"a user deletion of half a JSON":      {"delete user", `{"deleted":`},
		"a deletion of more than the user":    {"delete user", `{"deleted":500}`},
		"a destination without a secret":      {"create destination", strings.Replace(goodDestination, "hush-hush", "", 1)},
		"a destination with a path as uuid":   {"get destination", strings.Replace(goodDestination, testID, "../x", 1)},
		"a destination without a url":         {"update destination", strings.Replace(goodDestination, `"url"`, `"u"`, 1)},
		"a destination in a list, nameless":   {"list destinations", `[{"url":"https://h.example"}]`},
		"a list without results":              {"list destinations", `{"count":0}`},
		"a list that is null":                 {"list destinations", `null`},
		"a list of text":                      {"list workflows", `["x"]`},
		"a list with null":                    {"list workflows", `[null]`},
		"a new flow without an id":            {"create workflow", `{}`},
		"a delivery without a uuid":           {"list deliveries", `[{"session_id":"x"}]`},
		"a delivery of half a body":           {"get delivery", `{"uuid":"a","request_body":"{"}`},
		"a flow without an id":                {"list workflows", `[{"workflow_label":"x"}]`},
		"pages that do not end and are empty": {"list reviews", `{"next":"https://x.example","results":[]}`},
		"no balance":                          {"balance", `{}`},
		"a balance that is text":              {"balance", `{"balance":"hello"}`},
		"a health that is not ok":             {"health", `{"status":"degraded"}`},
		"a health of another server":          {"health", `<html>hello</html>`},
	} {
		t.Run(name, func(t *testing.T) {
			code := http.StatusOK
			if tc.op == "create destination" {
				code = http.StatusCreated
			}
			err := operations(serve(t, answerWith(code, tc.body)))[tc.op](t.Context())
			require.ErrorIs(t, err, ErrBadResponse)
			assert.Contains(t, err.Error(), tc.op)
			assert.NotContains(t, err.Error(), "hello")
		})
	}
}

func TestArgumentsAreCheckedBeforeAnyCall(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	ctx := t.Context()
	create := func(change func(*CreateDestinationRequest)) error {
		r := testDestination
		change(&r)
		_, err := c.CreateDestination(ctx, r)
		return err
	}
	text := func(s string) *string { return &s }
	update := func(r UpdateDestinationRequest) error { _, err := c.UpdateDestination(ctx, testID, r); return err }
	remove := func(r DeleteSessionRequest) error { _, err := c.DeleteSession(ctx, testID, r); return err }
	_, noUser := c.DeleteUser(ctx, " ")
	_, noUsers := c.SessionsOf(ctx, "")
	for name, err := range map[string]error{
		"a status that cannot be set":   c.UpdateStatus(ctx, testID, UpdateStatusRequest{NewStatus: StatusInReview}),
		"no status":                     c.UpdateStatus(ctx, testID, UpdateStatusRequest{}),
		"an unknown instruction":        remove(DeleteSessionRequest{Instruction: "all"}),
		"a face for eleven years":       remove(DeleteSessionRequest{FaceRetentionDays: 4000}),
		"no user":                       noUser,
		"the sessions of no user":       noUsers,
		"a destination without a label": create(func(r *CreateDestinationRequest) { r.Label = "" }),
		"a destination without events":  create(func(r *CreateDestinationRequest) { r.Events = nil }),
		"an event without a name":       create(func(r *CreateDestinationRequest) { r.Events = []string{""} }),
		"a path as URL":                 create(func(r *CreateDestinationRequest) { r.URL = "/hidden" }),
		"a password in the URL":         create(func(r *CreateDestinationRequest) { r.URL = "https://u:hidden@h.example" }),
		"no events after a change":      update(UpdateDestinationRequest{Events: []string{}}),
		"no URL after a change":         update(UpdateDestinationRequest{URL: text("hidden")}),
	} {
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		assert.NotContains(t, err.Error(), "hidden", name)
	}
	assert.Zero(t, calls.Load())
}

// pages answers with as many items as the list has, ten at a time, whatever was asked for.
func pages(total int, vendor string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var offset int
		_, _ = fmt.Sscan(r.URL.Query().Get("offset"), &offset)
		var rows []string
		for i := offset; i < min(offset+10, total); i++ {
			rows = append(rows, fmt.Sprintf(`{"session_id":"s-%d","uuid":"s-%d","vendor_data":"%s"}`, i, i, vendor))
		}
		next := "null"
		if offset+10 < total {
			next = `"https://elsewhere.example/?offset=1"`
		}
		_, _ = fmt.Fprintf(w, `{"count":1,"next":%s,"results":[%s]}`, next, strings.Join(rows, ","))
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	c := serve(t, pages(34, "User-1"))
	flows, err := c.Flows(t.Context())
	require.NoError(t, err)
	assert.Len(t, flows, 34)
	sessions, err := c.SessionsOf(t.Context(), "user-1")
	require.NoError(t, err)
	require.Len(t, sessions, 34)
	assert.Equal(t, "s-33", sessions[33].ID)
	_, err = c.SessionsOf(t.Context(), "user-2")
	require.ErrorIs(t, err, ErrBadResponse, "a filter that did not work")

	c = serve(t, pages(1<<30, "u"))
	_, err = c.Flows(t.Context())
	require.ErrorIs(t, err, ErrTooMany)
	_, err = c.SessionsOf(t.Context(), "u")
	require.ErrorIs(t, err, ErrTooMany)
}

func TestASessionThatMovedToTheNextPageIsThereOnce(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		next := []string{`"x"`, "null"}[calls.Add(1)-1]
		_, _ = fmt.Fprintf(w, `{"next":%s,"results":[{"session_id":"a","vendor_data":"u"}]}`, next)
	})
	all, err := c.SessionsOf(t.Context(), "u")
	require.NoError(t, err)
	assert.Len(t, all, 1)
}

func TestSensitiveTextIsNotPrinted(t *testing.T) {
	type holder struct{ Key Sensitive }
	h := holder{"hush"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{h, &h, h.Key, []Sensitive{h.Key}, map[string]Sensitive{"k": h.Key}} {
			text := fmt.Sprintf(verb, v)
			assert.NotContains(t, text, "hush")
			assert.NotContains(t, strings.ToLower(text), "68757368")
		}
	}
	b, err := json.Marshal(h)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Key":"[hidden]"}`, string(b))
	assert.Equal(t, "[hidden]", h.Key.LogValue().String())
	assert.Empty(t, Sensitive("").String())
	assert.NotContains(t, errors.Join(fmt.Errorf("x: %s", h.Key)).Error(), "hush")
}

func FuzzLists(f *testing.F) {
	for _, seed := range []string{"[]", "null", goodPage, `[{"uuid":"a","url":"b"}]`, `{"results":[null],"next":{}}`, `{"results":[[]]}`, `[{"uuid":1}]`, `{"balance":"1"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parsePage("list", body)
		if err != nil {
			require.ErrorIs(t, err, ErrBadResponse)
			return
		}
		all, err := each("list", p.Results, func(w wireDestination) (Destination, error) { return w.destination("list", false) })
		if err != nil {
			require.ErrorIs(t, err, ErrBadResponse)
			return
		}
		for _, d := range all {
			assert.True(t, isToken(d.ID))
		}
		_, err = each("list", p.Results, wireReview.review)
		require.NoError(t, err, "an object is a review")
	})
}
