package chaos

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
)

// killed is how processes end here, if not otherwise.
var killed = os.Kill

// valve stands between the webhook and Temporal. While it is shut nothing passes, and nothing is refused either.
type valve struct {
	mu     sync.Mutex
	opened chan struct{} // closed while things pass
}

func newValve() *valve {
	v := &valve{opened: make(chan struct{})}
	close(v.opened)
	return v
}

func (v *valve) shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened = make(chan struct{})
}

func (v *valve) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.opened)
}

func (v *valve) wait() {
	v.mu.Lock()
	opened := v.opened
	v.mu.Unlock()
	<-opened
}

// serve forwards connections to address, through the valve, and returns where.
func (v *valve) serve(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", address)
			if err != nil {
				_ = in.Close()
				continue
			}
			go v.pass(in, out)
			go v.pass(out, in)
		}
	}()
	return l.Addr().String()
}

func (v *valve) pass(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		v.wait()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// post delivers a genuine event of a session, as Didit does. Arrived is called when the handler has begun to read it.
func (w *world) post(session, user string, arrived func()) (code int, took time.Duration, err error) {
	body := fmt.Appendf(nil, `{"created_at":%d,"environment":"live","event_id":"%s","session_id":"%s","status":"In Progress","timestamp":%d,"vendor_data":"%s","webhook_type":"status.updated"}`,
		time.Now().Unix(), uuid.NewString(), session, time.Now().Unix(), user)
	req, err := http.NewRequest(http.MethodPost, w.webhookURL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set(didit.HeaderSignature, didit.Sign(secret, body))
	if arrived != nil { // the server says "continue" when the handler reads
		req.Header.Set("Expect", "100-continue")
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got100Continue: arrived}))
	}
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, time.Since(began), err
}

// While Temporal hangs, the webhook says so before Didit hangs up, and keeps nothing back: what was refused is not
// delivered later either, unless Didit sends it again.
func TestAWebhookWhileTemporalHangs(t *testing.T) {
	alongside(t)
	v := newValve()
	w := start(t, options{webhookVia: func(address string) string { return v.serve(t, address) }})
	s := w.begin("u1")
	w.eventually(func() bool { return w.delivered(didit.StatusNotStarted, http.StatusOK) }, "the first webhook")
	v.shut()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			code, took, err := w.post(s.Session.SessionID, "u1", nil)
			if err != nil || code != http.StatusServiceUnavailable {
				t.Errorf("answered %d, %v; want 503", code, err)
			}
			if took > 4900*time.Millisecond { // Didit's own patience is 5 s
				t.Errorf("answered after %v", took)
			}
		})
	}
	wg.Wait()
	v.open()
	w.eventually(func() bool {
		code, _, err := w.post(s.Session.SessionID, "u1", nil)
		return err == nil && code == http.StatusOK
	}, "200 when Temporal answers again")
}

// A webhook that is asked to stop answers what it has taken: Didit sees no broken connection.
func TestSIGTERMWithDeliveriesInFlight(t *testing.T) {
	alongside(t)
	v := newValve()
	w := start(t, options{webhookVia: func(address string) string { return v.serve(t, address) }})
	s := w.begin("u1")
	w.eventually(func() bool { return w.delivered(didit.StatusNotStarted, http.StatusOK) }, "the first webhook")
	r, err := w.webhook.working(w.within(patience))
	require.NoError(t, err)
	v.shut()
	const n = 20
	var arrived, answered sync.WaitGroup
	arrived.Add(n)
	for range n {
		answered.Go(func() {
			code, took, err := w.post(s.Session.SessionID, "u1", arrived.Done)
			slow := code == http.StatusServiceUnavailable && took > 3*time.Second // its own limit, on a slow machine
			if err != nil || code != http.StatusOK && !slow {
				t.Errorf("answered %d after %v, %v; want 200", code, took, err)
			}
		})
	}
	arrived.Wait()
	require.NoError(t, w.webhook.terminate(r))
	v.open()
	answered.Wait()
}
