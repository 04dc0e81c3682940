package speed

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"didit-temporal/dev/bench/ratio"
	"didit-temporal/dev/bench/testbed"
)

// connections is how many callers call at the same time.
const connections = 64

// sender keeps its connections open.
var sender = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * connections, IdleConnTimeout: 30 * time.Second}}

// request is one to send, and the statuses that are wanted.
type request struct {
	url    string
	header http.Header
	body   []byte
	want   []int
}

func (r request) send(ctx context.Context) error {
	_, err := r.status(ctx)
	return err
}

// status sends the request and returns the status of the answer, which is one of those wanted unless there is an error.
func (r request) status(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return 0, err
	}
	req.Header = r.header
	res, err := sender.Do(req)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err == nil && !slices.Contains(r.want, res.StatusCode) {
		err = fmt.Errorf("answer %d, want %v: %s", res.StatusCode, r.want, answer)
	}
	return res.StatusCode, err
}

// work is the i-th of many things to do.
type work func(ctx context.Context, i int) error

// closed lets as many callers as given do n things, each the next one when its last one is done.
func closed(ctx context.Context, callers, n int, do work) (figures, error) {
	l := load{began: time.Now(), each: make([]float64, n)}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(callers)
	for i := range n {
		all.Go(func() error { return l.one(ctx, i, time.Now(), do) })
	}
	return l.figures(all.Wait())
}

// open does n things at a steady rate, whether those before are done or not. Each is timed from when it was due.
func open(ctx context.Context, rate float64, n int, do work) (figures, error) {
	l := load{began: time.Now(), each: make([]float64, n)}
	all, ctx := errgroup.WithContext(ctx)
	for i := range n {
		due := l.began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		_ = testbed.Sleep(ctx, time.Until(due))
		all.Go(func() error { return l.one(ctx, i, due, do) })
	}
	return l.figures(all.Wait())
}

// load is what came of many things.
type load struct {
	began time.Time
	each  []float64 // seconds
}

// one does and times one thing, if none has failed before.
func (l load) one(ctx context.Context, i int, from time.Time, do work) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := do(ctx, i)
	l.each[i] = time.Since(from).Seconds()
	return err
}

// figures are how long all took in seconds, their rate, and latencies.
func (l load) figures(err error) (figures, error) {
	took := time.Since(l.began).Seconds()
	return figures{
		"took": took, "rate": float64(len(l.each)) / took, "p50": ratio.Quantile(l.each, 0.5), "p99": ratio.Quantile(l.each, 0.99),
	}, err
}
