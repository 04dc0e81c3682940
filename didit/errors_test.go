package didit

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func apiError(t *testing.T, err error) *APIError {
	t.Helper()
	e, ok := errors.AsType[*APIError](err)
	require.True(t, ok, "want an APIError, got %v", err)
	return e
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		code       int
		body       string
		wantCode   string
		wantDetail string
	}{
		"403 without a key":              {403, `{"detail":"… not … to …"}`, "", "… not … to …"},
		"403 with a code":                {403, `{"detail":"Suspended.","code":"contract_billing_suspended"}`, "contract_billing_suspended", "Suspended"},
		"a code alone":                   {409, `{"code":"in_filed_report"}`, "in_filed_report", ""},
		"a code that is free text":       {400, `{"code":"call John Smith","detail":"No."}`, "", "…"},
		"a field with a reason":          {400, `{"sign":"signature_document_changed"}`, "", "sign: signature_document_changed"},
		"fields with lists of reasons":   {400, `{"workflow_id":["Must be a valid UUID.","Really."],"callback":["Too long."]}`, "", "callback: …; workflow_id: …; workflow_id: …"},
		"a list of reasons":              {400, `["Not today."]`, "", "Not …"},
		"a field within a field":         {400, `{"nodes_to_resubmit":[{},{"node_id":["Unknown."]}]}`, "", "nodes_to_resubmit.node_id: …"},
		"fields under detail":            {400, `{"detail":{"callback":["Too long."]}}`, "", "callback: …"},
		"numbers are not repeated":       {400, `{"document_number":12345678,"age":["must be",36]}`, "", "…: …"},
		"a field name that is free text": {400, `{"John Smith":"is unknown"}`, "", "…: …"},
		"too many levels":                {400, `{"a":{"b":{"c":{"d":{"e":{"f":"deep"}}}}}}`, "", ""},
		"a page of HTML":                 {502, `<html>bad gateway for john@example.com</html>`, "", ""},
		"nothing at all":                 {500, ``, "", ""},
		"null":                           {500, `null`, "", ""},
		"lines and control characters":   {400, `{"detail":"a\r\n fault\u0000\u0007\t code\u202e\u200b"}`, "", "…"},
		"words about a person":           {400, `{"detail":"Jane Roe, born 1931-02-27 in Utopia, +883 123 45, jane@example.com, is blocked for 3 days"}`, "", "… in … blocked … days"},
		"a code about a person":          {400, `{"code":"blocked_jane_roe","detail":"No."}`, "blocked_…_…", "…"},
		"a person in a field":            {400, `{"document_X-1931":"Jane is not unique"}`, "", "document_…: … not …"},
		"our own key":                    {401, `{"detail":"Key ` + testKey + ` is wrong."}`, "", "…"},
		"our own strings":                {400, `{"callback":["https://app.example/john is no URL"],"metadata":"T-1 and note"}`, "", "callback: … URL; metadata: …"},
		"our own strings in a query":     {400, `{"detail":"/x?callback=https%3A%2F%2Fapp.example%2Fjohn"}`, "", "… callback …"},
		"our own string as a code":       {400, `{"code":"note"}`, "…", ""},
		"our own string as a field":      {400, `{"note":"bad"}`, "", "…: …"},
		"a short user id":                {400, `{"detail":"u1 is not u12, nor au1; (u1)"}`, "", "… not …"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, answerWith(tc.code, tc.body))
			_, err := c.CreateSession(t.Context(), CreateSessionRequest{
				WorkflowID: testFlow, VendorData: "u1", Callback: "https://app.example/john", Metadata: []byte(`{"a":["T-1",{"b":"note"}],"n":36}`),
			})
			e := apiError(t, err)
			assert.Equal(t, APIError{Op: "create session", StatusCode: tc.code, Code: tc.wantCode, Detail: tc.wantDetail}, *e)
			assert.NotContains(t, err.Error(), testKey)
		})
	}
}

func TestAStatusStaysReadable(t *testing.T) {
	c := serve(t, answerWith(400, `{"new_status":["Resubmitted is not possible for ticket T-100."]}`))
	err := c.UpdateStatus(t.Context(), testID, UpdateStatusRequest{NewStatus: StatusResubmitted, Comment: "ticket T-100"})
	assert.EqualError(t, err, "didit: update status: status 400: new_status: Resubmitted … not …")
}

func TestDetailIsBounded(t *testing.T) {
	long := strings.Repeat("review ", 40)
	for name, tc := range map[string]struct {
		body string
		want int
	}{
		"a long detail":          {`{"detail":"` + long + `"}`, maxDetail},
		"a long reason":          {`{"callback":"` + long + `"}`, len("callback: ") + maxReason},
		"many fields":            {`{"a":"` + long + `","b":"` + long + `","c":"` + long + `"}`, maxDetail},
		"a secret over the end":  {`{"detail":"` + strings.Repeat("review ", 24) + testKey + `"}`, 24*len("review ") + 1},
		"a long word, not shown": {`{"detail":"` + strings.Repeat("日", 300) + `"}`, 1},
		"an endless body":        {`{"detail":"` + strings.Repeat(" ", maxErrorAnswer) + `"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, answerWith(400, tc.body)).Decision(t.Context(), testID)
			e := apiError(t, err)
			assert.Equal(t, tc.want, utf8.RuneCountInString(e.Detail))
			assert.NotContains(t, e.Detail, testKey[:4])
			assert.True(t, utf8.ValidString(e.Detail))
		})
	}
}

func TestNoCallIsRetried(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	for op, call := range operations(c) {
		calls.Store(0)
		assert.Equal(t, http.StatusServiceUnavailable, apiError(t, call(t.Context())).StatusCode)
		assert.EqualValues(t, 1, calls.Load(), op)
	}
}

func TestAnAnswerCutShortIsStillARefusal(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"detail":`)
	})
	_, err := c.Decision(t.Context(), testID)
	assert.Equal(t, http.StatusTooManyRequests, apiError(t, err).StatusCode)
}

func TestRetryAfterAndReset(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		after, reset string
		wantAfter    time.Duration
		wantReset    time.Time
	}{
		"neither":                        {},
		"seconds":                        {after: "17", wantAfter: 17 * time.Second},
		"no seconds":                     {after: "0"},
		"an HTTP date":                   {after: "Mon, 23 Nov 2026 12:01:30 GMT", wantAfter: 90 * time.Second},
		"an HTTP date of the older form": {after: "Monday, 23-Nov-26 12:00:05 GMT", wantAfter: 5 * time.Second},
		"an HTTP date that has passed":   {after: "Mon, 23 Nov 2026 11:00:00 GMT"},
		"more than a day":                {after: "999999", wantAfter: 24 * time.Hour},
		"more than a number can hold":    {after: "99999999999999999999999"},
		"more than a duration can hold":  {after: "9999999999999", wantAfter: 24 * time.Hour},
		"a date next year":               {after: "Tue, 23 Nov 2027 12:00:00 GMT", wantAfter: 24 * time.Hour},
		"a negative number":              {after: "-5", reset: "-5"},
		"words":                          {after: "soon", reset: "soon"},
		"a reset":                        {reset: "1795435260", wantReset: time.Date(2026, 11, 23, 12, 1, 0, 0, time.UTC)},
		"a reset that is no date":        {reset: "99999999999999"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tc.after)
				w.Header().Set("X-RateLimit-Reset", tc.reset)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			c.now = func() time.Time { return now }
			_, err := c.Decision(t.Context(), testID)
			assert.Equal(t, APIError{Op: "decision", StatusCode: 429, RetryAfter: tc.wantAfter, Reset: tc.wantReset}, *apiError(t, err))
		})
	}
}
