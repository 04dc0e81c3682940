package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"didit-temporal/internal/metrics"
)

// Bounds of the calls that readiness makes to Temporal.
const (
	readyEvery = time.Second     // at most one call in this time, however many requests
	readyLimit = 2 * time.Second // for one call
)

var (
	errStarting = errors.New("this process is starting")
	errStopping = errors.New("this process is stopping")
)

// readiness reports whether a process can do its work. All requests share one call to Temporal a second.
type readiness struct {
	ask func(context.Context) error

	calling  chan struct{} // held during a call: the other requests wait for its answer
	asked    time.Time
	answer   error
	stopping atomic.Bool
}

func newReadiness(ask func(context.Context) error) *readiness {
	return &readiness{ask: ask, calling: make(chan struct{}, 1)}
}

// check returns why the process is not ready. The call outlives the caller's context: others wait for its answer too.
func (r *readiness) check(ctx context.Context) error {
	if r.stopping.Load() {
		return errStopping
	}
	r.calling <- struct{}{} // for readyLimit at most
	defer func() { <-r.calling }()
	if !r.asked.IsZero() && time.Since(r.asked) < readyEvery {
		return r.answer
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyLimit)
	defer cancel()
	r.answer = r.ask(ctx)
	r.asked = time.Now()
	return r.answer
}

// drainFirst returns a context that ends delay after ctx. In between the process is not ready and works as before, so that load
// balancers stop sending before the listener closes.
func (r *readiness) drainFirst(ctx context.Context, delay time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		r.stopping.Store(true)
		time.AfterFunc(delay, cancel)
	})
	return out, func() { stop(); cancel() }
}

// hangUp closes each connection with its next answer once the process is stopping: its sender opens the next one to another
// replica. A connection that lasts until the listener closes may get a request at that moment, which then has no answer.
func (r *readiness) hangUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, req)
	})
}

// health serves /livez and /readyz beside the metrics.
func health(numbers http.Handler, check func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+metrics.Path, numbers)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, req *http.Request) {
		switch err := check(req.Context()); {
		case errors.Is(err, errStarting), errors.Is(err, errStopping):
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case err != nil: // its text may quote settings
			http.Error(w, "Temporal cannot be reached", http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, "ready\n")
		}
	})
	return mux
}
