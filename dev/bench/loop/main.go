// Command loop signs users up at Didit without Temporal: as the example does that Didit published
// (https://didit.me/blog, "Boost Performance: Async Python for Didit API & Webhooks", March 6, 2026), or as good as one
// process can that has no memory. It prints a line for each user: ok, or lost and why.
//
// Of the example this is kept: all users at once (asyncio.gather); one client; up to five tries; after a 429 it sleeps for
// Retry-After, or else 2**try seconds, without jitter; whatever else goes wrong ends that user's loop. Of httpx, its client:
// at most 100 connections, five seconds for one of them to become free, five seconds for an answer. Put right are the address
// and the names of the fields, which the example has wrong (vendor_data, workflow_id): with external_id, as printed, Didit
// would not know whose session it is. More lenient than the example: what comes of a user is printed at once, where the example
// prints it when the last user is done.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

const (
	tries       = 5
	connections = 100             // httpx.Limits(max_connections=100)
	timeout     = 5 * time.Second // httpx.Timeout(5.0), for a free connection and for an answer
)

type program struct {
	url, key, flow string
	bucket         *rate.Limiter // nil: none, as in the example
	client         *http.Client
	pool           chan struct{}
	print          sync.Mutex
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{pool: make(chan struct{}, connections), client: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
	}}}
	flag.StringVar(&p.url, "url", "", "base `URL` of Didit")
	flag.StringVar(&p.key, "key", "", "API `key`")
	flag.StringVar(&p.flow, "flow", "", "`id` of the flow")
	first := flag.Int("first", 1, "`number` of the first user")
	n := flag.Int("n", 0, "`number` of users")
	perMinute := flag.Float64("per-minute", 0, "`rate` of a token bucket in front of every call; 0: none")
	burst := flag.Int("burst", 1, "`size` of the bucket")
	flag.Parse()
	if *perMinute > 0 {
		p.bucket = rate.NewLimiter(rate.Limit(*perMinute/60), *burst)
	}
	var all sync.WaitGroup
	for i := range *n {
		user := "signup-" + strconv.Itoa(*first+i)
		all.Go(func() { p.report(user, p.signUp(ctx, user)) })
	}
	all.Wait()
}

func (p *program) report(user string, err error) {
	p.print.Lock()
	defer p.print.Unlock()
	if err != nil {
		fmt.Println("lost", user, err)
		return
	}
	fmt.Println("ok", user)
}

var errTries = errors.New("max retries exceeded for rate-limited request")

// signUp is make_rate_limited_request.
func (p *program) signUp(ctx context.Context, user string) error {
	for try := range tries {
		if p.bucket != nil {
			if err := p.bucket.Wait(ctx); err != nil {
				return err
			}
		}
		code, after, err := p.post(ctx, user)
		switch {
		case err != nil:
			return err
		case code == http.StatusTooManyRequests:
			if after == "" {
				after = strconv.Itoa(int(math.Pow(2, float64(try))))
			}
			wait, err := strconv.Atoi(after)
			if err != nil {
				return err
			}
			time.Sleep(time.Duration(wait) * time.Second)
		case code/100 != 2:
			return fmt.Errorf("answer %d", code)
		default:
			return nil
		}
	}
	return errTries
}

var errPool = errors.New("no free connection within five seconds (httpx.PoolTimeout)")

func (p *program) post(ctx context.Context, user string) (code int, retryAfter string, err error) {
	select {
	case p.pool <- struct{}{}:
		defer func() { <-p.pool }()
	case <-time.After(timeout):
		return 0, "", errPool
	}
	body, err := json.Marshal(map[string]string{"vendor_data": user, "workflow_id": p.flow})
	if err != nil {
		return 0, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/v3/session/", bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("x-api-key", p.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Retry-After"), err
}
