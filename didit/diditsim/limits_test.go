package diditsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

// limited is a simulator whose clock stands still until it is moved.
type limited struct {
	*diditsim.Server
	now time.Time
}

func limitedTo(t *testing.T, o diditsim.Options) *limited {
	t.Helper()
	l := &limited{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { return l.now }
	l.Server = diditsim.New(o)
	t.Cleanup(l.Close)
	return l
}

const (
	aRead   = "GET /v3/sessions/"
	aWrite  = "PATCH /v3/session/nobody/update-status/"
	aCreate = "POST /v3/session/"
)

// send makes one call without a network, with header pairs.
func (l *limited) send(t *testing.T, call string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(`{"workflow_id":"`+flow+`"}`))
	r.Header.Set("x-api-key", "first")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if r.Header.Get("x-api-key") == "" {
		r.Header.Del("x-api-key")
	}
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	return w
}

// refused makes n calls and returns how many were answered 429.
func (l *limited) refused(t *testing.T, n int, call string, header ...string) int {
	t.Helper()
	refused := 0
	for range n {
		if l.send(t, call, header...).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	return refused
}

func TestTheLimitsAreThoseThatDiditDocuments(t *testing.T) {
	for call, limit := range map[string]int{aRead: 600, aWrite: 300, aCreate: 300, "DELETE /v3/session/nobody/delete/": 300} {
		t.Run(call, func(t *testing.T) {
			l := limitedTo(t, diditsim.Options{})
			assert.Zero(t, l.refused(t, limit, call))
			l.now = l.now.Add(time.Minute - 1)
			assert.Equal(t, 3, l.refused(t, 3, call), "a call that is not quite a minute old counts")
			l.now = l.now.Add(1)
			assert.Zero(t, l.refused(t, limit, call), "a call that is a minute old has left the window, and those that were refused were never in it")
			assert.Equal(t, 1, l.refused(t, 1, call))
		})
	}
}

func TestAWindowSlides(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Limits{Reads: 2, Window: 10 * time.Second}})
	for _, step := range []struct {
		after time.Duration
		code  int
	}{{0, 200}, {4 * time.Second, 200}, {5 * time.Second, 429}, {time.Second, 200}, {3999 * time.Millisecond, 429}, {time.Millisecond, 200}, {0, 429}} {
		l.now = l.now.Add(step.after)
		assert.Equal(t, step.code, l.send(t, aRead).Code, "at %s", l.now)
	}
}

func TestEveryKeyAndScopeHasACountOfItsOwn(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Limits{Reads: 2, Writes: 2, Creates: 2}})
	assert.Equal(t, 1, l.refused(t, 3, aRead))
	assert.Equal(t, 1, l.refused(t, 3, aWrite), "reads are no writes")
	assert.Equal(t, 1, l.refused(t, 3, aRead, "x-api-key", "second"))
	assert.Equal(t, 1, l.refused(t, 3, aRead, "x-api-key", "", "X-Forwarded-For", " 192.0.2.7 , 192.0.2.8"))
	assert.Equal(t, 1, l.refused(t, 1, aRead, "x-api-key", "", "X-Forwarded-For", "192.0.2.7"), "the first hop")
	assert.Equal(t, 1, l.refused(t, 3, aRead, "x-api-key", ""), "the address")
	assert.Equal(t, 1, l.refused(t, 1, aRead, "X-Forwarded-For", "192.0.2.9"), "a key goes before an address")
	for _, free := range []string{"GET /system/healthcheck", "GET /session/token", "POST /session/token"} {
		assert.Zero(t, l.refused(t, 9, free), free)
	}
	assert.Zero(t, l.refused(t, 2, "GET /v3/none/", "x-api-key", "third"))
	assert.Equal(t, 1, l.refused(t, 1, aRead, "x-api-key", "third"), "what Didit does not have counts too")
	assert.Zero(t, l.refused(t, 2, strings.TrimSuffix(aCreate, "/"), "x-api-key", "third"))
	assert.Equal(t, 1, l.refused(t, 1, aCreate, "x-api-key", "third"), "and so does a redirect")
}

func TestACreateCountsTwice(t *testing.T) {
	for name, tc := range map[string]struct {
		limits  diditsim.Limits
		creates int // that are accepted
		writes  int // that are accepted after them
		limit   string
	}{
		"the creates are few": {diditsim.Limits{Writes: 5, Creates: 3}, 3, 2, "3"},
		"the writes are few":  {diditsim.Limits{Writes: 3, Creates: 5}, 3, 0, "3"},
		"only creates count":  {diditsim.Limits{Writes: -1, Creates: 3}, 3, 10, "3"},
		"only writes count":   {diditsim.Limits{Writes: 3, Creates: -5}, 3, 0, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			l := limitedTo(t, diditsim.Options{Limits: tc.limits})
			assert.Equal(t, 10-tc.creates, l.refused(t, 10, aCreate))
			assert.Equal(t, tc.limit, l.send(t, aCreate).Header().Get("X-RateLimit-Limit"))
			assert.Equal(t, 10-tc.writes, l.refused(t, 10, aWrite), "a refused create is not a write")
		})
	}
}

func TestARefusalHasARetryAfter(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Limits{Reads: 1}})
	first := l.send(t, aRead)
	for _, h := range []string{"Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		assert.Empty(t, first.Header().Values(h), "sent only with a 429")
	}
	free := l.now.Add(time.Minute)
	for _, step := range []struct {
		left  time.Duration
		after string
	}{{time.Minute, "60"}, {time.Minute - 1, "60"}, {59 * time.Second, "59"}, {time.Second - 1, "1"}, {1, "1"}} {
		l.now = free.Add(-step.left)
		w, after := l.send(t, aRead), step.after
		assert.Equal(t, http.StatusTooManyRequests, w.Code)
		assert.Equal(t, after, w.Header().Get("Retry-After"), step.left)
		assert.Equal(t, "1", w.Header().Get("X-RateLimit-Limit"))
		assert.Equal(t, "0", w.Header().Get("X-RateLimit-Remaining"))
		assert.Equal(t, strconv.FormatInt(free.Unix(), 10), w.Header().Get("X-RateLimit-Reset"))
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		assert.JSONEq(t, fmt.Sprintf(`{"detail":"Request was throttled. Expected available in %s seconds."}`, after), w.Body.String())
	}
}

func TestTheResetIsRoundedUp(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Limits{Reads: 1}})
	l.now = l.now.Add(time.Nanosecond)
	l.send(t, aRead)
	assert.Equal(t, strconv.FormatInt(l.now.Unix()+61, 10), l.send(t, aRead).Header().Get("X-RateLimit-Reset"))
}

func TestOurClientUnderstandsARefusal(t *testing.T) {
	b := start(t, diditsim.Options{Limits: diditsim.Limits{Reads: 1, Window: time.Hour}})
	_, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{})
	require.NoError(t, err)
	_, err = b.api.ListSessions(t.Context(), didit.ListSessionsRequest{})
	e := refusal(t, err)
	assert.Equal(t, http.StatusTooManyRequests, e.StatusCode)
	assert.Equal(t, time.Hour, e.RetryAfter.Round(time.Minute))
	assert.WithinDuration(t, time.Now().Add(time.Hour), e.Reset, time.Minute)
	assert.Equal(t, 1, b.CallCount(diditsim.EndpointList, http.StatusTooManyRequests))
}

func TestACallThatMeetsAFaultCountsAndARefusedOneMeetsNone(t *testing.T) {
	for _, kind := range []diditsim.FaultKind{diditsim.AnswerStatus, diditsim.CommitThenStatus, diditsim.HangUp, diditsim.CommitThenHangUp, diditsim.HangUpThenCommit, diditsim.Slow} {
		b := start(t, diditsim.Options{Limits: diditsim.Limits{Creates: 1}})
		met := 0
		b.FailNext("POST", "/v3/session/", diditsim.Fault{
			Kind: kind, Status: 503, Times: 2, Match: func(*http.Request) bool { met++; return true },
		})
		_ = b.tryCreate(t.Context(), "u1")
		assert.Equal(t, http.StatusTooManyRequests, refusal(t, b.tryCreate(t.Context(), "u2")).StatusCode, "kind %d", kind)
		assert.Equal(t, 1, met)
	}
}

func TestACallIsCountedOnceByMany(t *testing.T) {
	b := start(t, diditsim.Options{Limits: diditsim.Limits{Writes: 50, Window: time.Hour}})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 25 {
				_ = b.tryCreate(t.Context(), fmt.Sprint(i, "-", n))
				b.Usage()
			}
		})
	}
	all.Wait()
	assert.Len(t, b.Sessions(), 50)
	for _, u := range b.Usage() {
		assert.Equal(t, []int{200, 150, 200, 50}, []int{u.Calls, u.Refused, u.Worst, u.WorstAccepted}, u.Scope)
	}
}
