package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

// What 5,000 long polls on one process may cost.
const (
	manyPolls   = 5000
	pollUsers   = 500
	mostMemory  = 200 << 20
	pollsWatch  = 30 * time.Second // how long their calls to Temporal are counted
	mostAsSoon  = 1.0              // calls a second, all together
	pollsPerOne = manyPolls / pollUsers
)

// process is `starter serve` as it runs in production, with its metrics.
type serveProcess struct {
	t       *testing.T
	pid     int
	metrics string
}

func (s *system) serveProcess() (*served, *serveProcess) {
	s.t.Helper()
	p := &serveProcess{t: s.t, metrics: harness.Address(s.t)}
	cmd := exec.Command(build(s.t, "starter"), "serve")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isTemporal), "TEMPORAL_ADDRESS="+s.server.Address, "STARTER_ADDR=127.0.0.1:0",
		"STARTER_TOKENS=shop:"+apiToken+";polls=5000", "METRICS_ADDR="+p.metrics)
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	p.pid = cmd.Process.Pid
	var line struct{ Msg, Address string }
	lines := json.NewDecoder(out)
	for line.Msg != "api listens" {
		require.NoError(s.t, lines.Decode(&line), "it ended before it listened")
	}
	read := make(chan struct{})
	go func() { // its log must not fill the pipe
		defer close(read)
		for b := bufio.NewReader(out); ; {
			if _, err := b.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
		}
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-read
		assert.NoError(s.t, cmd.Wait())
	})
	return &served{system: s, url: "http://" + line.Address}, p
}

// memory is what the process has resident of its own, without the pages of its file.
func (p *serveProcess) memory() int {
	p.t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "status"))
	require.NoError(p.t, err)
	_, rest, found := strings.Cut(string(status), "RssAnon:")
	require.True(p.t, found)
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(p.t, err)
	return kilobytes << 10
}

// calls is how many the process has made to Temporal.
func (p *serveProcess) calls() (n float64) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.metrics+"/metrics", http.NoBody)
	require.NoError(p.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if strings.HasPrefix(name, "temporal_request_total") || strings.HasPrefix(name, "temporal_long_request_total") {
			one, err := strconv.ParseFloat(value, 64)
			require.NoError(p.t, err)
			n += one
		}
	}
	return n
}

// verdict is when a poll had its answer.
type verdict struct {
	user string
	at   time.Time
}

// poll asks again and again until the user has an outcome.
func (a *served) poll(ctx context.Context, c *http.Client, user string) (verdict, error) {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+api.Path+"/"+user+"?wait=45s", http.NoBody)
		if err != nil {
			return verdict{}, err
		}
		req.Header.Set("Authorization", "Bearer "+apiToken)
		res, err := c.Do(req)
		if err != nil {
			return verdict{}, err
		}
		var got api.Verification
		err = json.NewDecoder(res.Body).Decode(&got)
		_ = res.Body.Close()
		switch {
		case res.StatusCode == http.StatusServiceUnavailable: // 500 reads at once may be too much for a busy machine
		case err != nil || res.StatusCode != http.StatusOK:
			return verdict{}, fmt.Errorf("%s: %w", res.Status, err)
		case got.Outcome != "":
			return verdict{user, time.Now()}, nil
		}
	}
}

var polls = flag.Bool("polls", false, "let five thousand long polls wait, and count what they cost: a minute, and 5,000 connections")

// Not parallel: it counts.
func TestFiveThousandPollsAreOneWatcher(t *testing.T) {
	if !*polls {
		t.Skip("SKIPPED: run it with -polls")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc here: memory cannot be measured")
	}
	a, p := start(t, options{}).serveProcess()
	users := a.beginMany(pollUsers)
	idle := p.memory()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 0, MaxIdleConnsPerHost: manyPolls}}
	answers := make(chan verdict, manyPolls)
	for i := range manyPolls {
		go func() {
			v, err := a.poll(a.t.Context(), client, users[i%pollUsers].State.UserID)
			if err != nil && a.t.Context().Err() == nil {
				t.Error(err)
			}
			answers <- v
		}()
	}
	a.eventually(func() bool { return p.open() >= manyPolls && p.rests() }, "all wait")
	before, from := p.calls(), time.Now()
	time.Sleep(pollsWatch) // what is measured is a rate
	rate := (p.calls() - before) / time.Since(from).Seconds()
	memory := p.memory()
	assert.Less(t, rate, mostAsSoon, "calls to Temporal a second")
	assert.Less(t, memory, mostMemory)

	decided := map[string]time.Time{}
	for _, u := range users {
		require.NoError(t, a.sim.SetStatus(u.Session.SessionID, didit.StatusInProgress))
		require.NoError(t, a.sim.SetStatus(u.Session.SessionID, didit.StatusApproved))
	}
	for _, u := range users {
		state := a.result(u.State.UserID)
		desc, err := a.Temporal().DescribeWorkflow(a.within(timeout), kyc.WorkflowID(state.UserID), "")
		require.NoError(t, err)
		decided[state.UserID] = desc.RawResponse.GetWorkflowExecutionInfo().GetCloseTime().AsTime()
	}
	var late []time.Duration
	for range manyPolls {
		v := <-answers
		late = append(late, v.at.Sub(decided[v.user]))
	}
	slices.Sort(late)
	t.Logf("%d polls: %.2f calls a second, %d MB resident (%d MB idle), answers %v (median) and %v (last) after the end of the run",
		manyPolls, rate, memory>>20, idle>>20, late[len(late)/2].Round(time.Millisecond), late[len(late)-1].Round(time.Millisecond))
}

// open is how many files and connections the process has open.
func (p *serveProcess) open() int {
	p.t.Helper()
	files, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(p.pid), "fd"))
	require.NoError(p.t, err)
	return len(files)
}

// rests reports whether the process makes hardly any calls: every poll has had its first look.
func (p *serveProcess) rests() bool {
	before := p.calls()
	time.Sleep(3 * time.Second) // what is measured is a rate
	return p.calls()-before <= 4
}

// beginMany starts users side by side.
func (s *system) beginMany(n int) []kyc.Started {
	s.t.Helper()
	all := make([]kyc.Started, n)
	var wg sync.WaitGroup
	room := make(chan struct{}, 32)
	for i := range all {
		room <- struct{}{}
		wg.Go(func() {
			started, err := s.Start(s.within(timeout), kyc.Input{UserID: fmt.Sprintf("u%d", i)})
			if err != nil {
				s.t.Error(err)
			}
			all[i] = started
			<-room
		})
	}
	wg.Wait()
	return all
}
