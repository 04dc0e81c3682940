package app

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// What is read of a body that the handler did not want: as much as nginx takes from a sender by default.
const (
	mostDrained = 1 << 20
	drainFor    = 2 * time.Second
)

// drained reads on where a handler has answered before the body was there. Go's server does not do so on a connection that
// it is about to close, and a connection that is closed over unread bytes is reset: the sender may lose the answer, and a proxy
// takes the replica for broken.
func drained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body := &tracked{ReadCloser: r.Body}
		seen := *r // the server looks at its own request's body afterwards
		seen.Body = body
		answer := &early{ResponseWriter: w, body: body}
		next.ServeHTTP(answer, &seen)
		if body.over || !body.begun && r.Header.Get("Expect") != "" { // who asks first sends no body that is not wanted
			return
		}
		if !answer.begun {
			answer.WriteHeader(http.StatusOK)
		}
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex() // or the server holds the answer back until it has read the body itself
		_ = c.Flush()
		_ = c.SetReadDeadline(time.Now().Add(drainFor))
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, mostDrained)) // beyond it the server closes gently
	})
}

// tracked is a body that remembers whether it was read, and to its end.
type tracked struct {
	io.ReadCloser
	begun, over bool
}

func (t *tracked) Read(p []byte) (int, error) {
	t.begun = true
	n, err := t.ReadCloser.Read(p)
	t.over = t.over || errors.Is(err, io.EOF)
	return n, err
}

// early ends the connection after an answer that comes before the body: what is left of that must not be taken for the next
// request.
type early struct {
	http.ResponseWriter
	body  *tracked
	begun bool
}

func (e *early) WriteHeader(status int) {
	if !e.begun && !e.body.over {
		e.Header().Set("Connection", "close")
	}
	e.begun = true
	e.ResponseWriter.WriteHeader(status)
}

func (e *early) Write(p []byte) (int, error) {
	if !e.begun {
		e.WriteHeader(http.StatusOK)
	}
	return e.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (e *early) Unwrap() http.ResponseWriter { return e.ResponseWriter }
