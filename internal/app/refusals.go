package app

import (
	"bytes"
	"net"
	"net/http"
	"strconv"

	"didit-temporal/webhook/receiver"
)

// reportingListener reports what net/http refuses before any handler runs, for which the server has no hook.
type reportingListener struct {
	net.Listener
	report func(code int, first []byte)
}

func (l reportingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &reportingConn{Conn: c, report: l.report}, nil
}

// reportingConn keeps the first bytes of a connection and reads the status of each answer.
type reportingConn struct {
	net.Conn
	report  func(code int, first []byte)
	first   []byte
	started bool
}

func (c *reportingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.started && n > 0 {
		c.started, c.first = true, bytes.Clone(p[:min(n, 8)])
	}
	return n, err
}

func (c *reportingConn) Write(p []byte) (int, error) {
	if code := refusalOfServer(p); code != 0 {
		c.report(code, c.first)
	}
	return c.Conn.Write(p)
}

// CloseWrite lets the server end its side of a connection first.
func (c *reportingConn) CloseWrite() error {
	if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// refusalOfServer returns the status of an answer that net/http gives by itself, and 0 for any other. Only the former have these
// headers and no date.
func refusalOfServer(answer []byte) int {
	const end = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	status, isAnswer := bytes.CutPrefix(answer, []byte("HTTP/1.1 "))
	line, _, cut := bytes.Cut(status, []byte(end))
	if !isAnswer || !cut || len(line) < 3 || bytes.ContainsAny(line, "\r\n") {
		return 0
	}
	code, _ := strconv.Atoi(string(line[:3]))
	return code
}

// strayOf names what the server refused by the first bytes of its connection.
func strayOf(code int, first []byte) receiver.Stray {
	switch {
	case code == http.StatusRequestHeaderFieldsTooLarge:
		return receiver.StrayHeaders
	case bytes.HasPrefix(first, []byte("PROXY ")), bytes.HasPrefix(first, []byte("\r\n\r\n\x00\r\nQ")): // versions 1 and 2
		return receiver.StrayProxy
	case bytes.HasPrefix(first, []byte{0x16, 0x03}):
		return receiver.StrayTLS
	}
	return receiver.StrayRequest
}
