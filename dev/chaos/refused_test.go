package chaos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/procs"
	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// diditsPatience is when Didit hangs up (docs.didit.me/integration/webhooks).
const diditsPatience = 5 * time.Second

// delivery is one post of an event by the test.
type delivery struct {
	eventID string
	code    int
	took    time.Duration
	err     error
}

// postAll posts n events of a session at once, each with an id of its own.
func (w *env) postAll(began kyc.Started, n int) []delivery {
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport}
	all := make([]delivery, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			d := delivery{eventID: uuid.NewString()}
			d.code, d.took, d.err = w.send(c, began, d.eventID)
			all[i] = d
		})
	}
	wg.Wait()
	return all
}

func (w *env) send(c *http.Client, began kyc.Started, eventID string) (int, time.Duration, error) {
	now := time.Now()
	body := fmt.Appendf(nil, `{"created_at":%d,"environment":"live","event_id":"%s","metadata":{"kyc_deployment":"%s","temporal_run_id":"%s"},"session_id":"%s",`+
		`"status":"In Progress","timestamp":%d,"vendor_data":"u1","webhook_type":"status.updated"}`,
		now.Unix(), eventID, w.Namespace(), began.RunID, began.Session.SessionID, now.Unix())
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.webhookURL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set(didit.HeaderSignature, didit.Sign(secret, body))
	res, err := c.Do(req)
	if err != nil {
		return 0, time.Since(now), err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode, time.Since(now), err
}

// behindRelay is an env whose webhook reaches Temporal through a relay, with a user whose first webhook has arrived.
func behindRelay(t *testing.T) (*env, *relay, kyc.Started) {
	t.Helper()
	var x *relay
	w := start(t, options{webhookVia: func(address string) string {
		x = newRelay(t, address)
		return x.address
	}})
	began := w.begin("u1")
	w.eventually(func() bool { return w.delivered(didit.StatusNotStarted, http.StatusOK) }, "the first webhook")
	return w, x, began
}

// What the webhook refuses because Temporal cannot be reached, it forgets: it learns that in time, nothing of it arrives
// later, and it does not fill the memory. What it accepts afterwards is there, once.
func TestWhatIsRefusedIsForgotten(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w, x, began := behindRelay(t)
	r, err := w.webhook.Working(w.within(timeout))
	require.NoError(t, err)
	n := size(0, 50, 500)
	before := resident(r)
	var refused []string
	for _, fault := range []struct {
		name string
		condition
	}{{"hangs", swallowing}, {"refuses", refusing}} {
		x.set(fault.condition)
		slowest := time.Duration(0)
		for _, d := range w.postAll(began, n) {
			assert.NoError(t, d.err, fault.name)
			assert.Equal(t, http.StatusServiceUnavailable, d.code, fault.name)
			slowest, refused = max(slowest, d.took), append(refused, d.eventID)
		}
		assert.Less(t, slowest, diditsPatience, fault.name)
		t.Logf("Temporal %s: %d answers, the slowest after %v; memory %d MB, was %d MB", fault.name, n,
			slowest.Round(time.Millisecond), resident(r)>>20, before>>20)
	}
	assert.Less(t, resident(r), before+128<<20, "bytes of memory")
	x.set(passing)
	again := refused[0]
	w.eventually(func() bool {
		code, _, err := w.send(http.DefaultClient, began, again)
		return err == nil && code == http.StatusOK
	}, "Temporal is reached again")
	accepted := w.postAll(began, n) // behind these nothing can still be on its way
	signals, err := w.signalIDs(w.within(timeout), began.RunID)
	require.NoError(t, err)
	for _, id := range refused[1:] {
		assert.NotContains(t, signals, id, "answered 503, and never sent again")
	}
	assert.Equal(t, 1, signals[again])
	for _, d := range accepted {
		assert.True(t, d.code != http.StatusOK || signals[d.eventID] == 1, "answered 200")
	}
}

// A webhook that is asked to stop answers all it has taken, while it takes nothing new: here the calls to Temporal are
// under way, and Temporal answers only after the webhook has closed its door.
func TestAStoppingWebhookAnswersWhatItHasTaken(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w, x, began := behindRelay(t)
	r, err := w.webhook.Working(w.within(timeout))
	require.NoError(t, err)
	const n = 20
	x.set(holding)
	answers := make(chan []delivery, 1)
	go func() { answers <- w.postAll(began, n) }()
	w.eventually(func() bool { return x.taken() >= n }, "all calls to Temporal are under way")
	require.NoError(t, w.webhook.Terminate(r))
	webhook, err := url.Parse(w.webhookURL)
	require.NoError(t, err)
	w.eventually(func() bool {
		conn, err := net.Dial("tcp", webhook.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, "the webhook takes no more")
	x.set(passing)
	all := <-answers
	require.NoError(t, r.Wait(), "exit code")
	signals, err := w.signalIDs(w.within(timeout), began.RunID)
	require.NoError(t, err)
	codes := map[int]int{}
	for _, d := range all {
		codes[d.code]++
		assert.NoError(t, d.err, "no broken connection")
		late := d.code == http.StatusServiceUnavailable && d.took > 1500*time.Millisecond // its own limit, on a slow machine
		assert.True(t, d.code == http.StatusOK || late, "answered %d after %v", d.code, d.took)
		assert.True(t, d.code != http.StatusOK || signals[d.eventID] == 1, "answered 200")
	}
	t.Logf("answers by code: %v", codes)
}

func (w *env) signalIDs(ctx context.Context, runID string) (map[string]int, error) {
	events, err := w.history(ctx, kyc.WorkflowID("u1"), runID)
	ids := map[string]int{}
	for _, ev := range events {
		if s := ev.GetWorkflowExecutionSignaledEventAttributes(); s != nil {
			var e kyc.DiditEvent
			if err := converter.GetDefaultDataConverter().FromPayloads(s.GetInput(), &e); err != nil {
				return nil, err
			}
			ids[e.EventID]++
		}
	}
	return ids, err
}

// resident is how much memory a process has, in bytes; 0 where the system does not report it.
func resident(r *procs.Process) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.PID()))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(status))
	i := slices.Index(fields, "VmRSS:")
	if i < 0 {
		return 0
	}
	kb, _ := strconv.Atoi(fields[i+1])
	return kb << 10
}
