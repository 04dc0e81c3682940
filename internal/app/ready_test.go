package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

// However many ask, Temporal is asked once a second.
func TestReadinessAsksTemporalOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		r := newReadiness(func(context.Context) error {
			asked.Add(1)
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		for range 10 {
			for range 1000 {
				go func() { assert.NoError(t, r.check(t.Context())) }()
			}
			time.Sleep(readyEvery / 10)
		}
		synctest.Wait()
		assert.EqualValues(t, 1, asked.Load())
		time.Sleep(readyEvery)
		require.NoError(t, r.check(t.Context()))
		assert.EqualValues(t, 2, asked.Load())
	})
}

func TestReadinessFollowsTemporal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		answer := away
		r := newReadiness(func(ctx context.Context) error {
			if answer != nil {
				return answer
			}
			<-ctx.Done() // hangs
			return ctx.Err()
		})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.check(gone), away, "the answer is for those who come later, too")
		time.Sleep(readyEvery)
		answer = nil
		began := time.Now()
		require.ErrorIs(t, r.check(t.Context()), context.DeadlineExceeded)
		assert.Equal(t, readyLimit, time.Since(began))
	})
}

// A load balancer needs some seconds to notice: until then the process works as before.
func TestAProcessIsNotReadyBeforeItStopsToListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReadiness(func(context.Context) error { return nil })
		ctx, stop := context.WithCancel(t.Context())
		serving, cancel := r.drainFirst(ctx, 5*time.Second)
		defer cancel()
		require.NoError(t, r.check(t.Context()))
		stop()
		synctest.Wait()
		require.ErrorIs(t, r.check(t.Context()), errStopping)
		require.NoError(t, serving.Err())
		time.Sleep(5*time.Second - 1)
		require.NoError(t, serving.Err())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Error(t, serving.Err())
	})
}

// Behind a load balancer of connections a sender stays with its replica: it must move on before the listener closes.
func TestAStoppingProcessAnswersAndHangsUp(t *testing.T) {
	r := newReadiness(func(context.Context) error { return nil })
	url := "http://" + running(t, r.hangUp(refuses))
	for _, stopping := range []bool{false, true} {
		if stopping {
			r.stopping.Store(true)
		}
		res, err := http.Get(url)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusOK, res.StatusCode)
		assert.Equal(t, stopping, res.Close)
	}
}

// The metrics port says how a process is, also of one that serves nothing else.
func TestHealthOnTheMetricsPort(t *testing.T) {
	o, err := StartTelemetry(t.Context(), config.Telemetry{MetricsAddr: "127.0.0.1:0"}, "worker", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer o.Close()
	get := func(path string) (int, string) {
		res, err := http.Get("http://" + o.Address + path)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text)
	}
	expect := func(path string, code int, says string) {
		t.Helper()
		got, text := get(path)
		assert.Equal(t, code, got)
		assert.Contains(t, text, says)
	}
	expect("/livez", 200, "ok")
	expect("/readyz", 503, "is starting")
	o.becomesReady(func(context.Context) error { return errors.New("SECRET") })
	expect("/readyz", 503, "Temporal cannot be reached\n")
	r := o.becomesReady(func(context.Context) error { return nil })
	expect("/readyz", 200, "ready")
	r.stopping.Store(true)
	expect("/readyz", 503, "is stopping")
	expect("/livez", 200, "ok")
	expect("/metrics", 200, "go_goroutines")
}

// A connection on which nothing is said is no cheaper to hold than one that is used.
func TestIdleConnectionsToTheMetricsPortEnd(t *testing.T) {
	t.Parallel()
	o, err := StartTelemetry(t.Context(), config.Telemetry{MetricsAddr: "127.0.0.1:0"}, "worker", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer o.Close()
	for range 50 {
		c := dial(t, o.Address)
		defer func() {
			_, err := io.Copy(io.Discard, c) // until the server hangs up
			assert.NoError(t, err)
		}()
	}
	srv := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	assert.Positive(t, srv.IdleTimeout)
	assert.Positive(t, srv.ReadTimeout)
	assert.Positive(t, srv.WriteTimeout)
}
