package receiver_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/webhook/receiver"
)

// productionCap is WEBHOOK_MAX_BODY unless it is set.
const productionCap = 1 << 20

// costly are bodies that fill the cap with what is expensive to read. Their V2 signature is wrong, which is only known when
// all has been read.
func costly() map[string]string {
	var keys, numbers strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, `"%05x":0,`, i)
		numbers.WriteString("-1.5e-300,")
	}
	return map[string]string{
		"100,000 keys":      "{" + strings.TrimSuffix(keys.String(), ",") + "}",
		"100,000 numbers":   "[" + strings.TrimSuffix(numbers.String(), ",") + "]",
		"nested as deep":    strings.Repeat("[", productionCap/2) + strings.Repeat("]", productionCap/2),
		"nested objects":    strings.Repeat(`{"a":`, productionCap/6) + "0" + strings.Repeat("}", productionCap/6),
		"one long text":     `{"a":"` + strings.Repeat("x", productionCap-8) + `"}`,
		"escapes":           `{"a":"` + strings.Repeat(`\u00e9`, productionCap/6-2) + `"}`,
		"not JSON at all":   strings.Repeat("\xff", productionCap),
		"the same key":      "{" + strings.TrimSuffix(strings.Repeat(`"a":0,`, productionCap/6-1), ",") + "}",
		"many empty arrays": "[" + strings.TrimSuffix(strings.Repeat("[],", productionCap/3-1), ",") + "]",
	}
}

// most is what reading one such body may allocate, in all; it is garbage afterwards.
const most = 48 << 20

func TestCostlyBodiesAreRefusedAtABoundedCost(t *testing.T) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Tolerance: 5 * time.Minute, MaxBody: productionCap, Now: clock})
	require.NoError(t, err)
	s := newSite(t, nil, nil, func(o *receiver.Options) { o.MaxBody, o.Verifier = productionCap, verifier })
	for name, body := range costly() {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(body), productionCap)
			req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader([]byte(body)))
			req.Header.Set(didit.HeaderSignatureV2, strings.Repeat("0", 64))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			code := s.post(req).Code
			runtime.ReadMemStats(&after)
			assert.Equal(t, http.StatusForbidden, code)
			assert.Empty(t, s.delivered, "Temporal was called")
			t.Logf("%d KB for %d KB", (after.TotalAlloc-before.TotalAlloc)>>10, len(body)>>10)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(most))
		})
	}
}

// mostHeld is what the bodies of strangers may keep in memory, all together.
const mostHeld = 64 << 20

// Many senders that withhold the last byte use little memory, and keep no other out.
func TestStalledBodiesUseLittleMemoryAndBlockNoOther(t *testing.T) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Tolerance: 5 * time.Minute, MaxBody: productionCap, Now: clock})
	require.NoError(t, err)
	s := newSite(t, nil, nil, func(o *receiver.Options) {
		o.MaxBody, o.Verifier, o.Log = productionCap, verifier, slog.New(slog.DiscardHandler)
	})
	server := httptest.NewServer(s.handler)
	defer server.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nX-Signature: %s\r\nContent-Length: %d\r\n\r\n", receiver.Path, strings.Repeat("0", 64), productionCap)
	body := bytes.Repeat([]byte("x"), productionCap-1)
	var stalled []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		_, err = c.Write([]byte(head))
		require.NoError(t, err)
		_, _ = c.Write(body) // fails once it has been cut off
		stalled = append(stalled, c)
	}
	for range 50 {
		genuine := string(approval(nil))
		require.Equal(t, http.StatusOK, send(t, server.Listener.Addr().String(), post(genuine, h("X-Signature", didit.Sign(secret, []byte(genuine)))).bytes()))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d stalled bodies of 1 MiB keep %d KB", len(stalled), held>>10)
	assert.Less(t, held, int64(mostHeld))
	assert.Greater(t, s.Counts()[receiver.Busy], int64(100), "the others may send again")
}

func TestHostileRequestsLeaveNothingBehind(t *testing.T) {
	all := hostile(t)
	s := newSite(t, nil, nil)
	before := runtime.NumGoroutine()
	server := httptest.NewServer(s.handler)
	var each sync.WaitGroup
	for range 5 {
		for _, tc := range all {
			each.Go(func() { send(t, server.Listener.Addr().String(), tc.r.bytes()) })
		}
	}
	each.Wait()
	server.Close()
	assert.Empty(t, s.delivered)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, time.Minute, 10*time.Millisecond, // 1: Eventually's own
		"goroutines of requests that are over")
}
