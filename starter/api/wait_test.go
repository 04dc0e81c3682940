package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// open is a verification that waits in review until it is decided, which Temporal's list shows at once.
func (b *bench) open(decided <-chan struct{}) {
	is := func() bool {
		select {
		case <-decided:
			return true
		default:
			return false
		}
	}
	b.fake.find = func(_ context.Context, userID string) (kyc.Found, error) {
		if is() {
			return kyc.Found{State: approved(userID), RunID: "run-1"}, nil
		}
		return kyc.Found{State: kyc.State{UserID: userID, Status: didit.StatusInReview}, RunID: "run-1"}, nil
	}
	b.fake.list = func(_ context.Context, f kyc.Filter) (kyc.Page, error) {
		return listed(f, []string{"u1", "u2"}, func(string) (didit.Status, kyc.Outcome) {
			if is() {
				return didit.StatusApproved, kyc.OutcomeApproved
			}
			return didit.StatusInReview, ""
		}), nil
	}
}

// listed is Temporal's list of those users: of those that have an outcome, or of those that were asked for.
func listed(f kyc.Filter, users []string, stand func(string) (didit.Status, kyc.Outcome)) (page kyc.Page) {
	for _, user := range users {
		status, outcome := stand(user)
		if outcome == "" && !f.OverSince.IsZero() || f.OverSince.IsZero() && !slices.Contains(f.UserIDs, user) {
			continue
		}
		one := kyc.Summary{UserID: user, RunID: "run-1", Status: status, Outcome: outcome}
		if outcome != "" {
			one.EndedAt = time.Now()
		}
		page.Items = append(page.Items, one)
	}
	return page
}

func TestALongPollEndsWithTheVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, decided, began := newBench(t, nil), make(chan struct{}), time.Now()
		b.open(decided)
		time.AfterFunc(7*time.Second, func() { close(decided) })
		rec := b.get(Path + "/u1?wait=30s")
		assert.Contains(t, rec.Body.String(), `"outcome":"approved"`)
		assert.WithinDuration(t, began.Add(7*time.Second), time.Now(), 2*time.Second)
	})
}

// What was stopped in Temporal, or a run that another has followed, is no result: the newest run is asked.
func TestARunThatEndedWithoutAResultIsNotTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, decided := newBench(t, nil), make(chan struct{})
		b.open(decided)
		b.findEnded = func(context.Context, string, string) (kyc.Found, error) { return kyc.Found{}, kyc.ErrNotFound }
		time.AfterFunc(7*time.Second, func() { close(decided) })
		assert.Contains(t, b.get(Path+"/u1?wait=30s").Body.String(), `"outcome":"approved"`)
	})
}

func TestALongPollWithoutAVerdictEndsWithTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(t, nil), time.Now()
		b.open(nil)
		rec := b.get(Path + "/u1?wait=60s")
		assert.Equal(t, http.StatusOK, rec.Code)
		assert.Contains(t, rec.Body.String(), `"status":"In Review","outcome":""`)
		assert.Equal(t, maxWait, time.Since(began))
	})
}

func TestStoppingEndsLongPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(t, nil), time.Now()
		b.open(nil)
		time.AfterFunc(time.Second, b.Drain)
		rec := b.get(Path + "/u1?wait=60s")
		assert.Equal(t, http.StatusOK, rec.Code)
		assert.Contains(t, rec.Body.String(), `"status":"In Review"`)
		assert.Equal(t, time.Second, time.Since(began))
		b.Drain()
		b.get(Path + "/u1?wait=60s")
		assert.Equal(t, time.Second, time.Since(began), "no new ones")
	})
}

func TestOnlySoManyWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.MaxPolls, o.Callers = 2, []Caller{{Name: "shop", Token: token, Polls: 9}} })
		decided := make(chan struct{})
		b.open(decided)
		codes := make(chan int)
		for _, user := range []string{"/u1", "/u2"} {
			go func() { codes <- b.get(Path + user + "?wait=45s").Code }()
		}
		synctest.Wait()
		rec, began := b.get(Path+"/u3?wait=45s"), time.Now()
		assert.Equal(t, "5", rec.Header().Get("Retry-After"))
		p := problemIn(t, rec)
		assert.Equal(t, tooManyWaiting.name, p.name())
		assert.Equal(t, http.StatusServiceUnavailable, p.Status)
		assert.Contains(t, p.Detail, "no more than 2")
		assert.Equal(t, http.StatusOK, b.get(Path+"/u3").Code, "who does not wait is answered")
		assert.Zero(t, time.Since(began))
		close(decided)
		assert.Equal(t, []int{http.StatusOK, http.StatusOK}, []int{<-codes, <-codes})
		assert.Equal(t, http.StatusOK, b.get(Path+"/u3?wait=45s").Code, "there is room again")
	})
}

func TestACallTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(t, nil), time.Now()
		b.fake.start = func(ctx context.Context, _ kyc.Input) (kyc.Started, error) {
			<-ctx.Done()
			return kyc.Started{RunID: "run-1"}, fmt.Errorf("wait: %w", ctx.Err())
		}
		assert.Equal(t, http.StatusAccepted, b.post(`{"user_id":"u1"}`).Code)
		b.fake.find = func(ctx context.Context, _ string) (kyc.Found, error) {
			<-ctx.Done()
			return kyc.Found{}, fmt.Errorf("query: %w", ctx.Err())
		}
		assert.Equal(t, ErrorTypeWorker, problemIn(t, b.get(Path+"/u1")).ErrorType)
		assert.Equal(t, 2*defaultTimeout, time.Since(began))
	})
}

func TestAClientThatGoesAwayEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := newBench(t, nil), time.Now()
		b.open(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b.request(http.MethodGet, Path+"/u1?wait=45s", "", func(r *http.Request) { *r = *r.WithContext(ctx) })
		assert.Equal(t, time.Second, time.Since(began))
		assert.Contains(t, b.log.String(), "status=499")
	})
}

// The server's deadlines are for requests that wait for nothing: a long poll, and a start under Didit's limit,
// outlive them.
func TestWaitingOutlivesTheServersDeadlines(t *testing.T) {
	const short, long = 50 * time.Millisecond, 300 * time.Millisecond
	b := newBench(t, func(o *Options) { o.Timeout = long })
	b.open(nil)
	b.fake.start = func(ctx context.Context, _ kyc.Input) (kyc.Started, error) {
		<-ctx.Done()
		return kyc.Started{RunID: "run-1"}, ctx.Err()
	}
	srv := httptest.NewUnstartedServer(b.handler)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = short, short
	srv.Start()
	defer srv.Close()
	call := func(method, path, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, http.NoBody)
		require.NoError(t, err)
		if body != "" {
			req, err = http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text)
	}
	code, text := call(http.MethodGet, Path+"/u1?wait="+long.String(), "")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, text, "In Review")
	code, text = call(http.MethodPost, Path, `{"user_id":"u1"}`)
	assert.Equal(t, http.StatusAccepted, code, text)
	assert.NotContains(t, b.log.String(), "status=499", "the client did not go away")
}
