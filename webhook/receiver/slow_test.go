package receiver_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// slowly is a body that waits before its end, or instead of it.
type slowly struct {
	rest  io.Reader
	wait  time.Duration
	fails error
}

func (s *slowly) Read(p []byte) (int, error) {
	n, err := s.rest.Read(p)
	if err != nil && s.wait > 0 {
		time.Sleep(s.wait)
		s.wait = 0
		if s.fails != nil {
			return n, s.fails
		}
	}
	return n, err
}

// The time that Temporal has begins when the body is there, however long that took.
func TestASlowBodyTakesNoTimeFromTemporal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil, nil, func(o *receiver.Options) {
			o.Deliverer = deliverer(func(ctx context.Context, _ string, _ kyc.DiditEvent, _ kyc.Origin) (kyc.DeliverResult, error) {
				deadline, _ := ctx.Deadline()
				assert.Equal(t, 3500*time.Millisecond, time.Until(deadline))
				return kyc.DeliveredSignal, nil
			})
		})
		req := signed(approval(nil))
		req.Body = io.NopCloser(&slowly{rest: req.Body, wait: 9 * time.Second})
		require.Equal(t, http.StatusOK, s.post(req).Code)
	})
}

// Didit sends again after neither, but a 400 says that what it signed is nonsense.
func TestABodyThatDoesNotEndIsATimeout(t *testing.T) {
	for name, err := range map[string]error{"in time": os.ErrDeadlineExceeded, "at all": io.ErrUnexpectedEOF} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, nil, nil)
			req := httptest.NewRequest(http.MethodPost, receiver.Path, &slowly{rest: strings.NewReader("{"), wait: 10 * time.Second, fails: err})
			req.Header.Set(didit.HeaderSignature, strings.Repeat("0", 64))
			assert.Equal(t, http.StatusRequestTimeout, s.post(req).Code, name)
			assert.EqualValues(t, 1, s.Counts()[receiver.Unfinished], name)
			assert.Empty(t, s.delivered)
		})
	}
}
