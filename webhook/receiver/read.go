package receiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/didit"
)

// usualBody is how many bytes a body gets before any of it has arrived, if its Content-Length is as large.
const usualBody = 16 << 10

// authenticated reads the body and returns the event that Didit signed. It keeps nothing of the body.
func (r *Receiver) authenticated(c *gin.Context) (didit.Event, error) {
	if c.Request.ContentLength > r.o.MaxBody {
		return didit.Event{}, didit.ErrTooLarge
	}
	a := r.bodies.begin(func() { _ = http.NewResponseController(c.Writer).SetReadDeadline(time.Unix(1, 0)) })
	defer a.release()
	body, err := r.read(c.Request.Context(), a, c.Request)
	if a.cutOff() {
		return didit.Event{}, errBusy
	}
	if err != nil {
		return didit.Event{}, err
	}
	a.arrived()
	return r.o.Verifier.Verify(c.Request.Header, body)
}

// read reads at most MaxBody bytes and one more, in a buffer that grows with what has arrived.
func (r *Receiver) read(ctx context.Context, a *arrival, req *http.Request) ([]byte, error) {
	most := int(r.o.MaxBody) + 1
	if req.ContentLength >= 0 {
		most = int(req.ContentLength) + 1 // one more, to detect the end
	}
	body, err := resize(ctx, a, nil, min(most, usualBody))
	for err == nil {
		var n int
		n, err = req.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case len(body) > int(r.o.MaxBody):
			return nil, didit.ErrTooLarge
		case err == nil && len(body) == cap(body):
			body, err = resize(ctx, a, body, min(2*cap(body), most))
		}
	}
	return nil, err
}

// resize takes room for the size and moves the body to a buffer of it.
func resize(ctx context.Context, a *arrival, body []byte, size int) ([]byte, error) {
	if err := a.grow(ctx, size); err != nil {
		return nil, err
	}
	return append(make([]byte, 0, size), body...), nil
}
