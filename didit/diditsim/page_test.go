package diditsim_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

var button = regexp.MustCompile(`<button type="submit" id="(\w+)" name="action" value="(\w+)">`)

func buttons(t *testing.T, page string) []string {
	t.Helper()
	names := []string{}
	for _, m := range button.FindAllStringSubmatch(page, -1) {
		assert.Equal(t, m[1], m[2], "the id is the action")
		names = append(names, m[1])
	}
	return names
}

func TestOpeningThePageStartsTheSession(t *testing.T) {
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret})
	s := b.create(t, "u1")
	path := "/session/" + s.Token
	code, _, _ := b.call(t, "HEAD", path, "", "")
	assert.Equal(t, 200, code)
	kept, _ := b.Session(s.ID)
	assert.Equal(t, didit.StatusNotStarted, kept.Status, "a look at the headers opens nothing")
	for range 2 {
		code, header, page := b.call(t, "GET", path, "", "")
		assert.Equal(t, 200, code)
		assert.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
		assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		assert.Contains(t, page, "Simulation.")
		assert.Contains(t, page, s.ID)
		assert.Contains(t, page, `<dd id="status">In Progress</dd>`)
		assert.Equal(t, []string{"approve", "decline", "review", "abandon"}, buttons(t, page))
		assert.NotContains(t, page, "<script")
		assert.NotContains(t, page, s.Token, "the link is in the address bar, that is enough")
	}
	b.settle(t)
	assert.Equal(t, []string{"Not Started", "In Progress"}, hooks.statuses(), "one webhook however often it is opened")
}

func TestThePageAtEachStatus(t *testing.T) {
	person := []string{"approve", "decline", "review"}
	for st, want := range map[didit.Status]struct {
		title   string
		buttons []string
	}{
		didit.StatusNotStarted:   {"Verify your identity", append(slices.Clone(person), "abandon")},
		didit.StatusInProgress:   {"Verify your identity", append(slices.Clone(person), "abandon")},
		didit.StatusAwaitingUser: {"Waiting for other people", person},
		didit.StatusResubmitted:  {"Please try again", person},
		didit.StatusInReview:     {"We are checking your details", []string{"approve", "decline", "resubmit"}},
		didit.StatusApproved:     {"You are verified", []string{}},
		didit.StatusDeclined:     {"We could not verify you", []string{}},
		didit.StatusAbandoned:    {"Verification not finished", []string{}},
		didit.StatusExpired:      {"This link has expired", []string{}},
		didit.StatusKycExpired:   {"Your document has expired", []string{}},
	} {
		t.Run(string(st), func(t *testing.T) {
			b := start(t, diditsim.Options{})
			s := b.create(t, "u1")
			b.bring(t, s.ID, st)
			code, _, page := b.call(t, "GET", "/session/"+s.Token, "", "")
			assert.Equal(t, 200, code)
			assert.Contains(t, page, ">"+want.title+"</h1>")
			assert.Equal(t, want.buttons, buttons(t, page))
			assert.Equal(t, st == didit.StatusInReview, strings.Contains(page, `id="reviewer"`))
		})
	}
}

func TestActionsOnThePage(t *testing.T) {
	const callback = "https://app.example/done?from=kyc"
	for name, tc := range map[string]struct {
		callback string
		actions  []string
		statuses []string // of the webhooks, from the first on
	}{
		"approve":                               {"", []string{"approve"}, []string{"Not Started", "In Progress", "Approved"}},
		"decline":                               {"", []string{"decline"}, []string{"Not Started", "In Progress", "Declined"}},
		"abandon":                               {"", []string{"abandon"}, []string{"Not Started", "In Progress", "Abandoned"}},
		"review, then approve":                  {"", []string{"review", "approve"}, []string{"Not Started", "In Progress", "In Review", "Approved"}},
		"review, then decline":                  {"", []string{"review", "decline"}, []string{"Not Started", "In Progress", "In Review", "Declined"}},
		"review, ask again, then approve":       {"", []string{"review", "resubmit", "approve"}, []string{"Not Started", "In Progress", "In Review", "Resubmitted", "Approved"}},
		"approve with a callback":               {callback, []string{"approve"}, []string{"Not Started", "In Progress", "Approved"}},
		"review with a callback, then decline":  {callback, []string{"review", "decline"}, []string{"Not Started", "In Progress", "In Review", "Declined"}},
		"ask again with a callback, then abort": {callback, []string{"review", "resubmit", "decline"}, []string{"Not Started", "In Progress", "In Review", "Resubmitted", "Declined"}},
	} {
		t.Run(name, func(t *testing.T) {
			hooks := receive(t, nil)
			b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret})
			s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, Callback: tc.callback})
			require.NoError(t, err)
			for _, action := range tc.actions {
				before, _ := b.Session(s.ID)
				code, header, _ := b.call(t, "POST", "/session/"+s.Token, "", "action="+action)
				require.Equal(t, http.StatusSeeOther, code)
				assert.Equal(t, "no-store", header.Get("Cache-Control"))
				after, _ := b.Session(s.ID)
				if tc.callback == "" || before.Status == didit.StatusInReview {
					assert.Equal(t, s.Token, header.Get("Location"), "back to the page")
					continue
				}
				u, err := url.Parse(header.Get("Location"))
				require.NoError(t, err)
				assert.Equal(t, "app.example", u.Host)
				assert.Equal(t, url.Values{"from": {"kyc"}, "verificationSessionId": {s.ID}, "status": {string(after.Status)}}, u.Query())
			}
			b.settle(t)
			assert.Equal(t, tc.statuses, hooks.statuses())
		})
	}
}

func TestABrowserComesBackToThePage(t *testing.T) {
	b := start(t, diditsim.Options{})
	s := b.create(t, "u1")
	resp, err := http.PostForm(s.URL, url.Values{"action": {"approve"}})
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, s.URL, resp.Request.URL.String(), "the redirect led to the page itself")
}

func TestThePageRefuses(t *testing.T) {
	b := start(t, diditsim.Options{})
	s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, Callback: "https://app.example/done"})
	require.NoError(t, err)
	path := "/session/" + s.Token
	for _, body := range []string{"", "action=", "action=explode", "act=approve", "action=%zz"} {
		code, _, page := b.call(t, "POST", path, "", body)
		assert.Equal(t, 400, code, body)
		assert.Contains(t, page, `role="alert"`)
		kept, _ := b.Session(s.ID)
		assert.Equal(t, didit.StatusNotStarted, kept.Status)
	}
	b.bring(t, s.ID, didit.StatusApproved)
	for _, action := range []string{"approve", "decline", "review", "abandon", "resubmit"} {
		code, _, page := b.call(t, "POST", path, "", "action="+action)
		assert.Equal(t, 409, code, action)
		assert.Contains(t, page, "You are verified")
		assert.Contains(t, page, `id="back" href="https://app.example/done?status=Approved&amp;verificationSessionId=`+s.ID)
	}
	for _, method := range []string{"GET", "POST"} {
		code, header, page := b.call(t, method, "/session/AAAAAAAAAAAA", "", "action=approve")
		assert.Equal(t, 404, code)
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
		assert.Contains(t, page, "This link does not work")
		assert.Contains(t, page, "Simulation.")
		assert.NotContains(t, page, "<dl>")
	}
	assert.Equal(t, 5, b.CallCount(diditsim.EndpointPageAction, 409))
}

func TestPublicURL(t *testing.T) {
	b := start(t, diditsim.Options{PublicURL: "https://sim.example/didit/"})
	s := b.create(t, "u1")
	assert.Equal(t, "https://sim.example/didit/session/"+s.Token, s.URL)
}
