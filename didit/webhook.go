package didit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// What VerifierOptions stands for if it says nothing.
const (
	// DefaultTolerance is the limit that Didit documents. Its last automatic retry can come a little later.
	DefaultTolerance = 300 * time.Second
	// DefaultMaxBody is in bytes. The largest body is that of a decision with hits of AML screening, about 3 KB each: there is
	// room for 300 of them.
	DefaultMaxBody = 1 << 20
	// DefaultV2Concurrency is how many bodies may be brought into canonical form at once.
	DefaultV2Concurrency = 2
)

// A place is taken for a few milliseconds at most, and a body waits for one for v2Wait. Those that wait or have one hold
// v2Bytes together, unless there is only one: what strangers send must not keep the memory that others need.
const (
	v2Wait  = time.Second
	v2Bytes = 8 << 20
)

// Why a webhook was refused. Errors wrap one of these and never hold anything of the body but its size and offsets.
var (
	// ErrNotSigned: no signature that covers the body; X-Signature-Simple does not.
	ErrNotSigned = errors.New("didit: webhook is not signed")
	// ErrBadSignature: no signature matches, or a header that must be single is repeated.
	ErrBadSignature = errors.New("didit: webhook signature does not match")
	// ErrStale: signed, but at another time than now, or X-Timestamp is not the time that was signed.
	ErrStale = errors.New("didit: webhook is not fresh")
	// ErrMalformed: signed, but not an event. Of a body whose signature does not match this is never said.
	ErrMalformed = errors.New("didit: webhook body is malformed")
	// ErrTooLarge: longer than VerifierOptions.MaxBody.
	ErrTooLarge = errors.New("didit: webhook body is too large")
	// ErrBusy: X-Signature does not match, and too many others wait for X-Signature-V2 to be checked. Only this one may pass
	// when it is sent again.
	ErrBusy = errors.New("didit: too many webhooks wait for X-Signature-V2 to be checked")
)

// Event is the envelope of a webhook. The decision inside the body is left out: it is full of personal data, and
// the decision endpoint is the authority. Fields that Didit did not send are empty.
type Event struct {
	ID          string // event_id; the same in all deliveries of one event
	Type        string // webhook_type, such as EventStatusUpdated
	Timestamp   int64  // of this delivery, in Unix seconds
	CreatedAt   int64  // of the event, in Unix seconds; 0 if not sent
	Environment Environment
	SessionID   string
	SessionKind string
	Status      Status
	WorkflowID  string
	VendorData  string
	Metadata    json.RawMessage // what CreateSessionRequest.Metadata said; nil if not sent
	Test        bool            // sent by hand from Didit's console: it must not change anything
}

// VerifierOptions configures a Verifier. Only Secrets is required.
type VerifierOptions struct {
	Secrets       []string         // any of them verifies, for rotation
	Tolerance     time.Duration    // how far the signed time may be from now, either way; 0 means DefaultTolerance
	MaxBody       int              // in bytes; 0 means DefaultMaxBody
	V2Concurrency int              // 0 means DefaultV2Concurrency
	Now           func() time.Time // nil means time.Now
}

// Verifier tells Didit's webhooks from others. It is safe for concurrent use.
type Verifier struct {
	keys      []*macKey
	tolerance time.Duration
	maxBody   int
	places    chan struct{} // holds one for each canonical text in the making
	v2Held    atomic.Int64  // bytes of the bodies that have a place or wait for one
	now       func() time.Time
}

// NewVerifier refuses options with which forged webhooks could pass or all would fail.
func NewVerifier(o VerifierOptions) (*Verifier, error) {
	v := &Verifier{tolerance: o.Tolerance, maxBody: o.MaxBody, now: o.Now}
	if len(o.Secrets) == 0 {
		return nil, errors.New("didit: verifier needs a webhook secret")
	}
	for _, secret := range o.Secrets {
		if strings.TrimSpace(secret) == "" {
			return nil, errors.New("didit: webhook secret is empty")
		}
		v.keys = append(v.keys, newMACKey(secret))
	}
	if o.Tolerance < 0 || o.MaxBody < 0 || o.V2Concurrency < 0 {
		return nil, errors.New("didit: tolerance, maximal body and places of a verifier must not be negative")
	}
	v.places = make(chan struct{}, cmp.Or(o.V2Concurrency, DefaultV2Concurrency))
	if v.tolerance == 0 {
		v.tolerance = DefaultTolerance
	}
	if v.maxBody == 0 {
		v.maxBody = DefaultMaxBody
	}
	if v.now == nil {
		v.now = time.Now
	}
	return v, nil
}

// CheckHeader refuses, before the body is read, what Verify would refuse whatever the body.
func (v *Verifier) CheckHeader(h http.Header) error {
	_, err := readSignatures(h)
	return err
}

// Verify returns the event of a webhook that Didit signed and sent just now. X-Signature is tried first, over the
// body as it is, and only then X-Signature-V2. Nothing of the body is believed before one of them has matched, and
// freshness is judged by the signed timestamp: whoever replays a webhook can rewrite its headers.
func (v *Verifier) Verify(h http.Header, body []byte) (Event, error) {
	signatures, err := readSignatures(h)
	if err != nil {
		return Event{}, err
	}
	if len(body) > v.maxBody {
		return Event{}, fmt.Errorf("%w: over %d bytes", ErrTooLarge, v.maxBody)
	}
	s := newScanner(body)
	defer s.release()
	if err := v.authenticate(s, signatures); err != nil {
		return Event{}, err
	}
	event, err := s.event()
	if err != nil {
		return Event{}, err
	}
	if err := v.checkTime(h, event.Timestamp); err != nil {
		return Event{}, err
	}
	event.Test = event.Test || isTest(h)
	return event, nil
}

// authenticate leaves s scanned. Where V2 cannot be computed it says so as ErrBadSignature alone, and not as ErrMalformed,
// which is an alarm: what was signed makes no sense.
func (v *Verifier) authenticate(s *scanner, sent signatures) error {
	if sent.hasRaw && v.signed(s.src, sent.raw) {
		return s.scan()
	}
	if !sent.hasV2 {
		return ErrBadSignature
	}
	return v.authenticateV2(s, sent.v2)
}

// authenticateV2 does what costs time and memory before the sender is known, so few do it at once, and each within a limit.
func (v *Verifier) authenticateV2(s *scanner, sent digest) error {
	size := int64(len(s.src))
	defer v.v2Held.Add(-size)
	if held := v.v2Held.Add(size); held > v2Bytes && held > size || !v.takePlace() {
		return ErrBusy
	}
	defer func() { <-v.places }()
	text, err := s.canonicalText(workLimit(len(s.src)))
	if err != nil {
		return fmt.Errorf("%w: no canonical form: %s", ErrBadSignature, err.Error())
	}
	if !v.signed(text, sent) {
		return ErrBadSignature
	}
	return nil
}

// takePlace reports whether there is a place for a canonical text in time.
func (v *Verifier) takePlace() bool {
	select {
	case v.places <- struct{}{}:
		return true
	default:
	}
	full := time.NewTimer(v2Wait)
	defer full.Stop()
	select {
	case v.places <- struct{}{}:
		return true
	case <-full.C:
		return false
	}
}

func (v *Verifier) signed(message []byte, d digest) bool {
	for _, k := range v.keys {
		if k.signed(message, d) {
			return true
		}
	}
	return false
}

func (v *Verifier) checkTime(h http.Header, signed int64) error {
	if v.now().Sub(time.Unix(signed, 0)).Abs() > v.tolerance {
		return fmt.Errorf("%w: signed more than %s from now", ErrStale, v.tolerance)
	}
	for _, value := range h[HeaderTimestamp] {
		if sent, err := strconv.ParseInt(value, 10, 64); err != nil || sent != signed {
			return fmt.Errorf("%w: %s is not the signed time", ErrStale, HeaderTimestamp)
		}
	}
	return nil
}
