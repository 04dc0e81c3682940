package chaos

import (
	"bytes"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

// condition is what a relay does with its connections.
type condition int

const (
	passing    condition = iota
	swallowing           // accepts, takes everything, and passes nothing on: it is lost
	holding              // as swallowing, but what was taken is passed on later
	refusing             // hangs up at once
)

// relay is the way from the webhook to Temporal, in a condition that can be changed.
type relay struct {
	address string

	mu      sync.Mutex
	changed chan struct{}
	now     condition
	conns   map[net.Conn]bool
	calls   int // messages that were taken and not passed on
}

// newRelay forwards to an address, and returns the address of its own end too.
func newRelay(t *testing.T, address string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	x := &relay{address: l.Addr().String(), changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		x.set(refusing)
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go x.connect(in, address)
		}
	}()
	return x
}

// set changes the condition. Only holding keeps what is under way: all other changes break the connections, so that
// what was swallowed never arrives.
func (x *relay) set(c condition) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c == refusing || x.now == swallowing {
		for conn := range x.conns {
			_ = conn.Close()
		}
		clear(x.conns)
	}
	x.now, x.calls = c, 0
	close(x.changed)
	x.changed = make(chan struct{})
}

func (x *relay) connect(in net.Conn, address string) {
	out, err := net.Dial("tcp", address)
	x.mu.Lock()
	if err != nil || x.now == refusing {
		x.mu.Unlock()
		_ = in.Close()
		if out != nil {
			_ = out.Close()
		}
		return
	}
	x.conns[in], x.conns[out] = true, true
	x.mu.Unlock()
	go func() {
		_, _ = io.Copy(in, out)
		_ = in.Close()
	}()
	x.pass(out, in)
}

// pass reads without waiting, whatever becomes of what it has read.
func (x *relay) pass(out, in net.Conn) {
	chunks := make(chan []byte, 1<<12)
	go func() {
		defer func() { _ = out.Close() }()
		for chunk := range chunks {
			if x.wait(); writeTo(out, chunk) != nil {
				break
			}
		}
		for range chunks { // the reader must not stand still
		}
	}()
	defer close(chunks)
	defer func() { _ = in.Close() }()
	buf := make([]byte, 64<<10)
	var tail []byte // of what came before: a name may come in two parts
	for {
		n, err := in.Read(buf)
		if n > 0 {
			seen := append(tail, buf[:n]...)
			x.count(seen)
			tail = slices.Clone(seen[max(0, len(seen)-len(signal)+1):])
			chunks <- bytes.Clone(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func writeTo(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

// wait returns when the line passes again, or is cut, in which case there is nothing to write to.
func (x *relay) wait() {
	for {
		x.mu.Lock()
		now, changed := x.now, x.changed
		x.mu.Unlock()
		if now == passing || now == refusing {
			return
		}
		<-changed
	}
}

// signal is once in each request to signal a verification; our requests are not compressed.
var signal = []byte(kyc.SignalDiditEvent)

func (x *relay) count(b []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.now != passing {
		x.calls += bytes.Count(b, signal)
	}
}

// taken is how many messages were taken and not passed on since the condition changed.
func (x *relay) taken() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.calls
}
