package app

import (
	"bytes"
	"net"
	"net/http"
	"strconv"

	"didit-temporal/webhook/receiver"
)

// watched is a listener that reports what net/http refuses before any handler sees it, for which the server has no hook.
type watched struct {
	net.Listener
	report func(code int, first []byte)
}

func (l watched) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: c, report: l.report}, nil
}

// watchedConn keeps the first bytes of a connection and looks at the beginnings of answers.
type watchedConn struct {
	net.Conn
	report func(code int, first []byte)
	first  []byte
	begun  bool
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.begun && n > 0 {
		c.begun, c.first = true, bytes.Clone(p[:min(n, 8)])
	}
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	if code := refusedUnseen(p); code != 0 {
		c.report(code, c.first)
	}
	return c.Conn.Write(p)
}

// CloseWrite lets the server end its side of a connection first.
func (c *watchedConn) CloseWrite() error {
	if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// refusedUnseen returns the status of an answer that net/http gives by itself, and 0 for any other. Only the former have these
// headers and no date.
func refusedUnseen(answer []byte) int {
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
