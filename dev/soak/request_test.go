package soak

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// delivery is a request and the answers that are right for it; 0 is a connection that is closed without one.
type delivery struct {
	kind   string
	person int // whose event it is; -1: nobody's
	id     string
	body   string
	header map[string]string
	length int64 // said to be; 0: the true one
	cut    bool  // the body stops in the middle
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
		return delivery{kind: "cut", body: body[:len(body)/2], header: signed(body), length: int64(len(body)), cut: true, want: []int{0, http.StatusBadRequest}}
	},
}

// request makes an HTTP request of a delivery.
func (d delivery) request(url string) (*http.Request, error) {
	var body io.Reader = strings.NewReader(d.body)
	if d.cut {
		body = io.MultiReader(body, broken{})
	}
	req, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	if d.length > 0 {
		req.ContentLength = d.length
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range d.header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// broken is a body that ends before its end: the connection is closed.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
