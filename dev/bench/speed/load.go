package speed

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"didit-temporal/dev/bench/ratio"
)

// connections is how many callers call at the same time.
const connections = 64

// sender keeps its connections open.
var sender = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * connections, IdleConnTimeout: 30 * time.Second}}

// request is one to send, and the status that is wanted.
type request struct {
	url    string
	header http.Header
	body   []byte
	want   int
}

func (r request) send(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header = r.header
	res, err := sender.Do(req)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err == nil && res.StatusCode != r.want {
		err = fmt.Errorf("answer %d, want %d: %s", res.StatusCode, r.want, answer)
	}
	return err
}

// load is what came of many calls.
type load struct {
	took  time.Duration
	each  []float64 // seconds
	first error
}

// figures are its rate and latencies.
func (l load) figures() figures {
	return figures{
		"rate": float64(len(l.each)) / l.took.Seconds(), "p50": ratio.Quantile(l.each, 0.5), "p99": ratio.Quantile(l.each, 0.99),
	}
}

// closed lets as many callers as given do n things, each the next one when its last one is done.
func closed(ctx context.Context, callers, n int, do func(ctx context.Context, i int) error) (load, error) {
	l, next := load{each: make([]float64, n)}, atomic.Int64{}
	began := time.Now()
	var all sync.WaitGroup
	var once sync.Once
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				at := time.Now()
				if err := do(ctx, i); err != nil {
					once.Do(func() { l.first = err })
					stop()
				}
				l.each[i] = time.Since(at).Seconds()
			}
		})
	}
	all.Wait()
	l.took = time.Since(began)
	if l.first == nil {
		l.first = context.Cause(ctx)
	}
	return l, l.first
}

// open does n things at a steady rate, whether those before are done or not. Each is timed from when it was due.
func open(ctx context.Context, rate float64, n int, do func(ctx context.Context, i int) error) (load, error) {
	l := load{each: make([]float64, n)}
	began := time.Now()
	var all sync.WaitGroup
	var once sync.Once
	for i := range n {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
		all.Go(func() {
			if err := do(ctx, i); err != nil {
				once.Do(func() { l.first = err })
			}
			l.each[i] = time.Since(due).Seconds()
		})
	}
	all.Wait()
	l.took = time.Since(began)
	return l, l.first
}
