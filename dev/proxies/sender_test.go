package proxies

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	vendor "didit-temporal/didit"
)

// The hosts of deploy/proxies, and one that is not in them.
const (
	hooksHost    = "hooks.example.com"
	internalHost = "internal.example.com"
	strangeHost  = "elsewhere.example.com"
)

// sender speaks to a proxy from one address.
type sender struct {
	*http.Client
}

// from makes a sender at an address of this machine. It follows no redirect, and hangs up when Didit does.
func (r *run) from(address string, timeout time.Duration) sender {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return sender{&http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: r.trust(), MaxIdleConnsPerHost: 32, DisableCompression: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, r.address)
			},
		},
	}}
}

// diditTimeout is when Didit hangs up.
const diditTimeout = 5 * time.Second

// answer is what a sender got.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (s sender) do(ctx context.Context, method, url string, body io.Reader, header http.Header) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := s.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

func (s sender) must(t *testing.T, method, url string, body io.Reader, header http.Header) answer {
	t.Helper()
	a, err := s.do(t.Context(), method, url, body, header)
	require.NoError(t, err)
	return a
}

const hook = "https://" + hooksHost + "/webhooks/didit"

func signed(body []byte) http.Header {
	return http.Header{vendor.HeaderSignature: {vendor.Sign(secret, body)}, "Content-Type": {"application/json"}}
}

// event is a webhook about a user's run. extra is put in as it is; the body is filled up to size bytes with spaces.
func (e *env) event(i int, id, extra string, size int) []byte {
	now := time.Now().Unix()
	head := fmt.Sprintf(`{"event_id":%q,"webhook_type":"status.updated","environment":"sandbox","session_id":%q,"status":"In Progress",`+
		`"vendor_data":%q,"created_at":%d,"timestamp":%d,"metadata":{"temporal_run_id":%q,"kyc_deployment":"default","attempt":1}%s`,
		id, uuid.NewString(), userOf(i), now, now, e.runs[i%users], extra)
	return []byte(head + strings.Repeat(" ", max(size-len(head)-1, 0)) + "}")
}

// report is what became of many webhooks.
type report struct {
	mu      sync.Mutex
	first   map[string]int // answers to first tries, by status or kind of fault
	events  []string       // ids
	unheard []string       // ids that were never answered 200
	slowest time.Duration
}

// sendAll posts count webhooks, a steady number a second, each again as Didit does when it is not taken.
func (e *env) sendAll(ctx context.Context, s sender, count, perSecond int) *report {
	r := &report{first: map[string]int{}}
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range count {
		<-tick.C
		all.Go(func() { e.sendOne(ctx, s, r, i) })
	}
	all.Wait()
	return r
}

func (e *env) sendOne(ctx context.Context, s sender, r *report, i int) {
	id := uuid.NewString()
	body := e.event(i, id, "", []int{900, 3_000, 12_000, 60_000}[i%4])
	taken := false
	for try := range 3 { // as often as Didit sends
		began := time.Now()
		a, err := s.do(ctx, http.MethodPost, hook, bytes.NewReader(body), signed(body))
		if taken = err == nil && a.code == http.StatusOK; try == 0 {
			r.note(kindOf(a, err), time.Since(began))
		}
		if taken || (err == nil && a.code < 500) {
			break
		}
		select {
		case <-time.After(2 * time.Second): // Didit waits for a minute
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, id)
	if !taken {
		r.unheard = append(r.unheard, id)
	}
}

func kindOf(a answer, err error) string {
	if err != nil {
		return "no answer"
	}
	return strconv.Itoa(a.code)
}

func (r *report) note(kind string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first[kind]++
	r.slowest = max(r.slowest, took)
}
