package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// What readiness asks of Temporal.
const (
	readyEvery = time.Second     // at most one question in this time, however many ask
	readyLimit = 2 * time.Second // for the answer
)

var (
	errStarting = errors.New("this process has not begun to work yet")
	errStopping = errors.New("this process is about to stop")
)

// readiness is whether a process can do its work. It asks Temporal at most once a second, for all who want to know.
type readiness struct {
	ask func(context.Context) error

	turn     chan struct{} // held while asking: the others wait for the same answer
	asked    time.Time
	answer   error
	stopping chan struct{}
	stop     func()
}

func newReadiness(ask func(context.Context) error) *readiness {
	r := &readiness{ask: ask, turn: make(chan struct{}, 1), stopping: make(chan struct{})}
	r.stop = sync.OnceFunc(func() { close(r.stopping) })
	return r
}

// check returns why the process is not ready. The question outlives the caller's context: others wait for its answer too.
func (r *readiness) check(ctx context.Context) error {
	if r.isStopping() {
		return errStopping
	}
	r.turn <- struct{}{} // for readyLimit at most
	defer func() { <-r.turn }()
	if !r.asked.IsZero() && time.Since(r.asked) < readyEvery {
		return r.answer
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyLimit)
	defer cancel()
	r.answer = r.ask(ctx)
	r.asked = time.Now()
	return r.answer
}

func (r *readiness) isStopping() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return false
	}
}

// drainFirst returns a context that ends delay after ctx. In between the process is not ready and works as before, so that load
// balancers send no more before the listener closes.
func (r *readiness) drainFirst(ctx context.Context, delay time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		r.stop()
		time.AfterFunc(delay, cancel)
	})
	return out, func() { stop(); cancel() }
}

// health adds /livez and /readyz to the routes of next.
func health(next http.Handler, check func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
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
