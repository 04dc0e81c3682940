package kube

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// propagation is how long a change of a Service's endpoints takes to get to the node of a sender.
const propagation = 2 * time.Second

// service passes connections on as kube-proxy does: a new one goes to the next endpoint, and an open one stays where it is,
// whatever becomes of the endpoint.
type service struct {
	address string

	mu        sync.Mutex
	endpoints []string
	turn      int
	refused   int // connections that found no endpoint, or one that did not answer
}

func newService(t *testing.T) *service {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	s := &service{address: listener.Addr().String()}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go s.pass(c)
		}
	}()
	return s
}

func (s *service) pass(from net.Conn) {
	defer func() { _ = from.Close() }()
	to, err := net.DialTimeout("tcp", s.next(), 5*time.Second)
	if err != nil {
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		return
	}
	defer func() { _ = to.Close() }()
	go func() {
		_, _ = io.Copy(to, from)
		_ = to.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(from, to)
}

func (s *service) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.endpoints) == 0 {
		return "" // nothing listens there
	}
	s.turn++
	return s.endpoints[s.turn%len(s.endpoints)]
}

// add lets connections go to an endpoint, and remove lets no more, as soon as the node hears of it.
func (s *service) add(ctx context.Context, endpoint string) {
	s.change(ctx, func() { s.endpoints = append(s.endpoints, endpoint) })
}

func (s *service) remove(ctx context.Context, endpoint string) {
	s.change(ctx, func() {
		s.endpoints = slices.DeleteFunc(s.endpoints, func(e string) bool { return e == endpoint })
	})
}

func (s *service) change(ctx context.Context, how func()) {
	select {
	case <-time.After(propagation):
	case <-ctx.Done():
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
}
