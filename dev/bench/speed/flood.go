package speed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"didit-temporal/dev/bench/ratio"
)

// connections is how many callers call at the same time.
const connections = 64

// flood sends many requests over connections that stay open. A caller writes and reads by itself: net/http's client has two
// goroutines for each connection, and switching between them costs more of the measured machine than the bytes do.
type flood struct {
	mu   sync.Mutex
	idle map[string][]*wire // by host, the latest used last
}

// wire is one connection.
type wire struct {
	net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
	used time.Time
}

// A server drops connections that are idle for two minutes: before that they are not used again. No answer takes half of it.
const (
	longestIdle = 30 * time.Second
	longestWait = 30 * time.Second
)

func newFlood() *flood { return &flood{idle: map[string][]*wire{}} }

// request is one to send, and the status that is wanted.
type request struct {
	url    string
	header http.Header
	body   []byte
	want   int
}

func (f *flood) send(ctx context.Context, r request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header = r.header
	w, err := f.take(ctx, req.URL.Host)
	if err != nil {
		return nil, err
	}
	code, answer, open, err := w.exchange(req)
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	if open {
		f.giveBack(req.URL.Host, w)
	} else { // the webhook closes the connection of what it refuses
		_ = w.Close()
	}
	if code != r.want {
		err = fmt.Errorf("answer %d, want %d: %s", code, r.want, answer)
	}
	return answer, err
}

func (w *wire) exchange(req *http.Request) (code int, answer []byte, open bool, err error) {
	if err := w.SetDeadline(time.Now().Add(longestWait)); err != nil {
		return 0, nil, false, err
	}
	if err := errors.Join(req.Write(w.out), w.out.Flush()); err != nil {
		return 0, nil, false, err
	}
	res, err := http.ReadResponse(w.in, req)
	if err != nil {
		return 0, nil, false, err
	}
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, !res.Close, errors.Join(err, res.Body.Close())
}

// take is an idle connection to the host.
func (f *flood) take(ctx context.Context, host string) (*wire, error) {
	if w := f.pop(host); w != nil {
		return w, nil
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c, in: bufio.NewReader(c), out: bufio.NewWriter(c)}, nil
}

// pop is an open connection to the host; nil if there is none.
func (f *flood) pop(host string) *wire {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := len(f.idle[host]); n > 0; n-- {
		w := f.idle[host][n-1]
		f.idle[host] = f.idle[host][:n-1]
		if time.Since(w.used) < longestIdle {
			return w
		}
		_ = w.Close()
	}
	return nil
}

func (f *flood) giveBack(host string, w *wire) {
	w.used = time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle[host] = append(f.idle[host], w)
}

// close ends all idle connections.
func (f *flood) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, all := range f.idle {
		for _, w := range all {
			_ = w.Close()
		}
	}
	clear(f.idle)
}

// load is what came of a flood.
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
