package app

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How much of a body that the handler did not read is drained: as much as nginx reads by default.
const (
	mostDrained = 1 << 20
	drainFor    = 2 * time.Second
)

// drained reads the rest of a request body that a handler answers before reading. Go's server does not do so on a connection
// that it is about to close. A connection closed over unread bytes is reset: the sender may lose the answer, and a proxy
// may mark the replica as broken.
func drained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body := &trackedBody{ReadCloser: r.Body}
		tracked := *r // the server checks its own request's body afterwards
		tracked.Body = body
		answer := &earlyAnswer{ResponseWriter: w, body: body}
		next.ServeHTTP(answer, &tracked)
		if body.atEnd || !body.started && r.Header.Get("Expect") != "" { // a sender that expects 100-continue sends no body unasked
			return
		}
		if !answer.started {
			answer.WriteHeader(http.StatusOK)
		}
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex() // or the server holds the answer back until it has read the body itself
		_ = c.Flush()
		_ = c.SetReadDeadline(time.Now().Add(drainFor))
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, mostDrained)) // beyond it the server closes gently
	})
}

// trackedBody remembers whether a body was read, and to its end.
type trackedBody struct {
	io.ReadCloser
	started, atEnd bool
}

func (t *trackedBody) Read(p []byte) (int, error) {
	t.started = true
	n, err := t.ReadCloser.Read(p)
	t.atEnd = t.atEnd || errors.Is(err, io.EOF)
	return n, err
}

// earlyAnswer closes the connection after an answer that precedes the end of the body: the rest must not be read as the next
// request.
type earlyAnswer struct {
	http.ResponseWriter
	body    *trackedBody
	started bool
}

func (e *earlyAnswer) WriteHeader(status int) {
	if !e.started && !e.body.atEnd {
		e.Header().Set("Connection", "close")
	}
	e.started = true
	e.ResponseWriter.WriteHeader(status)
}

func (e *earlyAnswer) Write(p []byte) (int, error) {
	if !e.started {
		e.WriteHeader(http.StatusOK)
	}
	return e.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (e *earlyAnswer) Unwrap() http.ResponseWriter { return e.ResponseWriter }
