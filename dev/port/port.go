// Package port settles TCP ports before anything starts, because some servers end the process when theirs is taken.
package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// InUseError says that another process listens there.
type InUseError struct {
	IP   string
	Port int
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("port %d is in use on %s", e.Port, e.IP)
}

// Pick returns wanted once it has proved to be free, or any free port where wanted is 0.
func Pick(ip string, wanted int) (int, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(ip, strconv.Itoa(wanted)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return 0, &InUseError{IP: ip, Port: wanted}
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	if wanted != 0 {
		return wanted, nil
	}
	return l.Addr().(*net.TCPAddr).Port, linger(l)
}

// Free returns a free address on loopback.
func Free() (address string, err error) {
	n, err := Pick("127.0.0.1", 0)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(n)), err
}

// linger leaves the listener's port in TIME_WAIT, in which Linux gives it to no other process that asks for a free one.
func linger(l net.Listener) error {
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	s, err := l.Accept()
	if err != nil {
		return err
	}
	return s.Close() // first to close is the side that waits
}
