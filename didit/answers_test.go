package didit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSuccesses(t *testing.T) {
	t.Run("a created session is read, unknown fields left alone", func(t *testing.T) {
		c := serve(t, answerWith(http.StatusCreated, goodSession))
		s, err := c.CreateSession(t.Context(), CreateSessionRequest{WorkflowID: testFlow})
		require.NoError(t, err)
		assert.Equal(t, Session{
			ID: testID, Number: 7, Token: "aB3xQ9zK7m2p", URL: "https://verify.example/session/aB3xQ9zK7m2p",
			VendorData: "user-0001", Status: StatusNotStarted, WorkflowID: testFlow,
		}, s)
	})
	t.Run("a paid session is not lost over a field of another type", func(t *testing.T) {
		c := serve(t, answerWith(http.StatusCreated, strings.Replace(goodSession, `"session_number":7`, `"session_number":"7"`, 1)))
		s, err := c.CreateSession(t.Context(), CreateSessionRequest{WorkflowID: testFlow})
		require.NoError(t, err)
		assert.Equal(t, testID, s.ID)
		assert.Equal(t, "user-0001", s.VendorData)
	})
	t.Run("a page", func(t *testing.T) {
		c := serve(t, answerWith(http.StatusOK, `{"count":101,"next":"https://x.example/?offset=1","previous":null,"results":[`+
			`{"session_id":"`+testID+`","session_number":3,"status":"In Review","vendor_data":"u1","created_at":"2026-11-18T10:00:00.5Z"}]}`))
		p, err := c.ListSessions(t.Context(), ListSessionsRequest{})
		require.NoError(t, err)
		assert.Equal(t, SessionPage{Count: 101, More: true, Sessions: []SessionSummary{{
			ID: testID, Number: 3, Status: StatusInReview, VendorData: "u1",
			CreatedAt: time.Date(2026, 11, 18, 10, 0, 0, 500_000_000, time.UTC),
		}}}, p)
	})
	for _, code := range []int{http.StatusOK, http.StatusNoContent} {
		t.Run(fmt.Sprintf("a deletion answered with %d", code), func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
			d, err := c.DeleteSession(t.Context(), testID, DeleteSessionRequest{})
			require.NoError(t, err)
			assert.Equal(t, DeletedSession{ID: testID}, d)
		})
	}
}

func TestBadResponses(t *testing.T) {
	for name, tc := range map[string]struct {
		op, body string
		code     int
	}{
		"a create without JSON":                {"create session", "<html>hello</html>", 201},
		"a create with half a JSON":            {"create session", goodSession[:40], 201},
		"a create with an empty body":          {"create session", "", 201},
		"a create with a list":                 {"create session", "[]", 201},
		"a create without session_id":          {"create session", `{"url":"https://x.example"}`, 201},
		"a create with a path as session_id":   {"create session", `{"session_id":"../x","url":"https://x.example"}`, 201},
		"a create without url":                 {"create session", `{"session_id":"` + testID + `"}`, 201},
		"a create with an undocumented status": {"create session", goodSession, 202},
		"a decision without session_id":        {"decision", `{"status":"Approved"}`, 200},
		"a decision without status":            {"decision", `{"session_id":"` + testID + `"}`, 200},
		"a decision that is null":              {"decision", `null`, 200},
		"a decision beyond the bound":          {"decision", `{"x":"` + strings.Repeat("x", maxAnswer) + `"}`, 200},
		"a page without results":               {"list sessions", `{"count":0}`, 200},
		"a page with results that are no list": {"list sessions", `{"results":"none"}`, 200},
		"a page with a nameless result":        {"list sessions", `{"results":[{"status":"Approved"}]}`, 200},
		"a deletion that is only accepted":     {"delete session", `{}`, 202},
	} {
		t.Run(name, func(t *testing.T) {
			err := operations(serve(t, answerWith(tc.code, tc.body)))[tc.op](t.Context())
			require.ErrorIs(t, err, ErrBadResponse)
			_, refused := errors.AsType[*APIError](err)
			assert.False(t, refused, "a bad response leaves open what happened")
			assert.Contains(t, err.Error(), tc.op)
			assert.NotContains(t, err.Error(), "hello")
		})
	}
}

func TestADecisionUpToTheBoundIsRead(t *testing.T) {
	head := `{"session_id":"` + testID + `","status":"Approved","portrait":"`
	c := serve(t, answerWith(200, head+strings.Repeat("x", maxAnswer-len(head)-2)+`"}`))
	_, err := c.Decision(t.Context(), testID)
	assert.NoError(t, err)
}

func TestSessionIDsAreCheckedBeforeAnyCall(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	for name, id := range map[string]string{
		"empty": "", "a path": "../x", "a slash": "a/b", "an escaped slash": "a%2Fb", "a query": "a?b", "a space": "a b",
		"a dot": ".", "a line break": "a\n", "a letter of another script": "ä", "too long": strings.Repeat("a", 65),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Decision(t.Context(), id)
			require.ErrorIs(t, err, ErrInvalidArgument)
			require.ErrorIs(t, c.UpdateStatus(t.Context(), id, UpdateStatusRequest{NewStatus: StatusApproved}), ErrInvalidArgument)
			_, err = c.DeleteSession(t.Context(), id, DeleteSessionRequest{})
			require.ErrorIs(t, err, ErrInvalidArgument)
			_, err = c.Reviews(t.Context(), id)
			require.ErrorIs(t, err, ErrInvalidArgument)
			_, err = c.GetDestination(t.Context(), id)
			require.ErrorIs(t, err, ErrInvalidArgument)
		})
	}
	_, err := c.CreateSession(t.Context(), CreateSessionRequest{Metadata: json.RawMessage("{")})
	require.ErrorIs(t, err, ErrInvalidArgument, "metadata that is no JSON cannot be sent")
	assert.Zero(t, calls.Load())
}

func TestBoundsOfAnswers(t *testing.T) {
	head := `{"session_id":"` + testID + `","status":"Approved"}`
	t.Run("a decision beyond the bound is refused even if its end is blank", func(t *testing.T) {
		_, err := serve(t, answerWith(200, head+strings.Repeat(" ", maxAnswer))).Decision(t.Context(), testID)
		require.ErrorIs(t, err, ErrBadResponse)
		assert.ErrorContains(t, err, "larger than")
	})
	for code, bound := range map[int]int{200: maxAnswer, 503: maxErrorAnswer} {
		t.Run(fmt.Sprintf("an endless answer of %d is not read to the end of memory", code), func(t *testing.T) {
			written := make(chan int, 1)
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(code)
				total, chunk := 0, []byte(strings.Repeat(" ", 64<<10))
				for total < 64<<20 {
					n, err := w.Write(chunk)
					total += n
					if err != nil {
						break
					}
				}
				written <- total
			})
			_, err := c.Decision(t.Context(), testID)
			require.Error(t, err)
			assert.Less(t, <-written, bound+maxDrain+16<<20, "and what the sockets hold")
		})
	}
}
