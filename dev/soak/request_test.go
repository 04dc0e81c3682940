package soak

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
	"didit-temporal/webhook/receiver"
)

// delivery is a request and the answers that are right for it; 0 is a connection that is closed without one.
type delivery struct {
	kind   string
	person int // whose event it is; -1: no user's
	id     string
	body   string
	header map[string]string
	length int64  // said to be; 0: the true one
	cut    bool   // the body stops in the middle
	stall  bool   // the body stops for as long as it is let
	path   string // asked with GET instead
	want   []int
}

// genuine is a webhook about a person. The decision in it is about as large as a real one.
func genuine(p person, id string, now time.Time) string {
	body, err := json.Marshal(map[string]any{
		"event_id": id, "webhook_type": didit.EventStatusUpdated, "timestamp": now.Unix(), "created_at": now.Unix(),
		"environment": "live", "session_id": p.session, "session_kind": "user", "status": didit.StatusInProgress,
		"workflow_id": flow, "vendor_data": p.id, "metadata": map[string]any{"kyc_deployment": "default", "temporal_run_id": p.run, "attempt": 1},
		"decision": map[string]any{"id_verifications": []any{map[string]any{"first_name": strings.Repeat("Simulina ", 200)}}},
	})
	if err != nil {
		panic(err) // there is nothing in it that JSON cannot hold
	}
	return string(body)
}

func signed(body string) map[string]string {
	return map[string]string{didit.HeaderSignature: didit.Sign(secret, []byte(body))}
}

// hostiles are what strangers send, by kind.
var hostiles = []func(r *rand.Rand, p person, now time.Time) delivery{
	func(_ *rand.Rand, p person, now time.Time) delivery {
		return delivery{kind: "unsigned", body: genuine(p, uuid.NewString(), now), want: []int{http.StatusBadRequest}}
	},
	func(r *rand.Rand, p person, now time.Time) delivery {
		d := delivery{kind: "forged", body: genuine(p, uuid.NewString(), now), want: []int{http.StatusForbidden}}
		d.header = map[string]string{didit.HeaderSignature: fmt.Sprintf("%064x", r.Uint64())}
		return d
	},
	func(_ *rand.Rand, p person, now time.Time) delivery {
		d := delivery{kind: "another secret", body: genuine(p, uuid.NewString(), now), want: []int{http.StatusForbidden}}
		d.header = map[string]string{didit.HeaderSignatureV2: didit.Sign("another-secret-of-somebody", []byte(d.body))}
		return d
	},
	func(_ *rand.Rand, p person, now time.Time) delivery {
		body := genuine(p, uuid.NewString(), now.Add(-time.Hour))
		return delivery{kind: "stale", body: body, header: signed(body), want: []int{http.StatusForbidden}}
	},
	func(_ *rand.Rand, p person, now time.Time) delivery {
		body := genuine(p, uuid.NewString(), now)[1:]
		return delivery{kind: "malformed", body: body, header: signed(body), want: []int{http.StatusBadRequest}}
	},
	func(_ *rand.Rand, _ person, _ time.Time) delivery {
		body := `{"a":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + "}"
		return delivery{kind: "deep", body: body, header: signed(body), want: []int{http.StatusBadRequest, http.StatusForbidden}}
	},
	func(_ *rand.Rand, _ person, _ time.Time) delivery {
		body := strings.Repeat("x", 2<<20)
		return delivery{kind: "huge", body: body, header: map[string]string{didit.HeaderSignature: strings.Repeat("0", 64)},
			want: []int{http.StatusRequestEntityTooLarge, 0}}
	},
	func(_ *rand.Rand, _ person, now time.Time) delivery {
		stranger := person{id: "stranger", session: uuid.NewString()}
		body := genuine(stranger, uuid.NewString(), now)
		return delivery{kind: "foreign", body: body, header: signed(body), want: []int{http.StatusOK}}
	},
	func(_ *rand.Rand, p person, now time.Time) delivery {
		body := genuine(p, uuid.NewString(), now)
		return delivery{kind: "cut", body: body[:len(body)/2], header: signed(body), length: int64(len(body)), cut: true, want: []int{0, http.StatusRequestTimeout}}
	},
	// What is expensive to bring into canonical form, as large as it may be.
	func(r *rand.Rand, _ person, _ time.Time) delivery {
		units := []string{"1e-320,", "-0,", "0,", `"\u00e9\n",`, "9007199254740993.0,", `{"b":{"b":0,"a":0},"a":0},`, "1e308,"}
		unit := units[r.IntN(len(units))]
		body := "[" + strings.Repeat(unit, (1<<20-8)/len(unit)) + "0]"
		return delivery{kind: "costly", body: body, header: map[string]string{didit.HeaderSignatureV2: strings.Repeat("0", 64)}, want: turnedDown}
	},
	// All but the last byte, and then nothing.
	func(_ *rand.Rand, _ person, _ time.Time) delivery {
		return delivery{kind: "stalled", body: strings.Repeat("x", 1<<20-1), length: 1 << 20, stall: true,
			header: map[string]string{didit.HeaderSignature: strings.Repeat("0", 64)}, want: []int{0, http.StatusRequestTimeout, http.StatusServiceUnavailable}}
	},
	func(_ *rand.Rand, _ person, _ time.Time) delivery {
		return delivery{kind: "endless", body: strings.Repeat("x", 3<<20), length: -1, stall: true,
			header: map[string]string{didit.HeaderSignature: strings.Repeat("0", 64)}, want: []int{0, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable}}
	},
	func(_ *rand.Rand, _ person, _ time.Time) delivery {
		return delivery{kind: "readiness", path: "/readyz", want: []int{http.StatusOK}}
	},
	func(_ *rand.Rand, _ person, _ time.Time) delivery {
		return delivery{kind: "misrouted", path: "/webhook/didit", want: []int{http.StatusNotFound}}
	},
}

// turnedDown are the answers to one whose signature is wrong, which is only known when it was checked.
var turnedDown = []int{http.StatusForbidden, http.StatusServiceUnavailable}

// request makes an HTTP request of a delivery.
func (d delivery) request(url string) (*http.Request, error) {
	if d.path != "" {
		return http.NewRequest(http.MethodGet, strings.TrimSuffix(url, receiver.Path)+d.path, nil)
	}
	var body io.Reader = strings.NewReader(d.body)
	switch {
	case d.cut:
		body = io.MultiReader(body, broken{})
	case d.stall:
		body = &stalled{rest: body, closed: make(chan struct{})}
	}
	req, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	if d.length != 0 {
		req.ContentLength = d.length
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range d.header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// stalled is a body that stops before its end, and begins no more.
type stalled struct {
	rest   io.Reader
	closed chan struct{}
	once   sync.Once
}

func (s *stalled) Read(p []byte) (int, error) {
	n, err := s.rest.Read(p)
	if n == 0 && errors.Is(err, io.EOF) {
		<-s.closed
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}

func (s *stalled) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// broken is a body that ends before its end: the connection is closed.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
