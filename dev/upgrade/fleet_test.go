package upgrade

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
)

// replicas is how many of each process run.
const replicas = 2

// fleet is the replicas of a process, behind a load balancer if they listen.
type fleet struct {
	t       *testing.T
	name    string
	args    []string
	env     []string
	listens string // the variable with the address; empty: it does not listen
	run     [replicas]replica
	balancer
}

type replica struct {
	program *procs.Program
	address string
}

// start starts every replica from a folder.
func (f *fleet) start(folder string) {
	f.t.Helper()
	for i := range f.run {
		f.run[i] = f.launch(folder)
		f.add(f.run[i].address)
	}
}

// replace does what a rolling update does: one replica after the other, and the new one works before the old one stops.
// turn waits until the load is so far.
func (f *fleet) replace(folder string, turn func(replica int)) {
	f.t.Helper()
	for i, old := range f.run {
		turn(i)
		f.run[i] = f.launch(folder)
		f.add(f.run[i].address)
		f.remove(old.address)
		old.program.Retire()
	}
}

func (f *fleet) launch(folder string) replica {
	f.t.Helper()
	r, env := replica{}, f.env
	if f.listens != "" {
		r.address = harness.Address(f.t)
		env = append([]string{f.listens + "=" + r.address}, env...)
	}
	r.program = harness.Supervise(f.t, folder, f.name, f.args, env...)
	_, err := r.program.Working(harness.Within(f.t, timeout))
	require.NoError(f.t, err)
	return r
}

// processes are the numbers of the replicas that work.
func (f *fleet) processes() (pids []string) {
	f.t.Helper()
	for _, r := range f.run {
		p, err := r.program.Working(harness.Within(f.t, timeout))
		require.NoError(f.t, err)
		pids = append(pids, strconv.Itoa(p.PID()))
	}
	return pids
}

// balancer sends requests to its backends in turn.
type balancer struct {
	mu       sync.Mutex
	backends []string
	next     int
}

func (b *balancer) add(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, address)
}

func (b *balancer) remove(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, x := range b.backends {
		if x == address {
			b.backends = append(b.backends[:i:i], b.backends[i+1:]...)
			return
		}
	}
}

func (b *balancer) pick() *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	return &url.URL{Scheme: "http", Host: b.backends[b.next%len(b.backends)]}
}

func (b *balancer) handler() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(b.pick()) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		Transport:    &http.Transport{DisableKeepAlives: true}, // a connection to a replica that stops would be of no use
	}
}
