package didit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Defaults of VerifierOptions.
const (
	// DefaultTolerance is the limit that Didit documents. Its last automatic retry can come a little later.
	DefaultTolerance = 300 * time.Second
	// DefaultMaxBody is in bytes. The largest bodies are decisions with hits of AML screening, about 3 KB each: 300 of them
	// fit.
	DefaultMaxBody = 1 << 20
	// DefaultV2Concurrency is how many canonical texts are computed at once.
	DefaultV2Concurrency = 2
)

// A canonical text takes a slot for a few milliseconds at most, and a body waits v2Wait for one. The bodies that wait or have
// one hold v2Bytes together, or are a single one: unauthenticated bodies must not use up the memory.
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
	// ErrMalformed: signed, but not an event. A body whose signature does not match is never called malformed.
	ErrMalformed = errors.New("didit: webhook body is malformed")
	// ErrTooLarge: longer than VerifierOptions.MaxBody.
	ErrTooLarge = errors.New("didit: webhook body is too large")
	// ErrBusy: X-Signature does not match, and too many webhooks wait for the check of X-Signature-V2. Only this error may
	// pass when the webhook is sent again.
	ErrBusy = errors.New("didit: too many webhooks wait for the check of X-Signature-V2")
)

// Event is the envelope of a webhook. It omits the decision in the body, which is full of personal data: the decision
// endpoint is the authority. Fields that Didit did not send are empty.
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
	Metadata    json.RawMessage // that of CreateSessionRequest; nil if not sent
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

// Verifier checks that a webhook is Didit's. It is safe for concurrent use.
type Verifier struct {
	keys      []*macKey
	tolerance time.Duration
	maxBody   int
	v2Slots   chan struct{} // holds one for each canonical text that is being computed
	v2Held    atomic.Int64  // bytes of the bodies that have a slot or wait for one
	now       func() time.Time
}

// NewVerifier refuses options with which forged webhooks pass or all webhooks fail.
func NewVerifier(o VerifierOptions) (*Verifier, error) {
	if len(o.Secrets) == 0 {
		return nil, errors.New("didit: the verifier needs a webhook secret")
	}
	if o.Tolerance < 0 || o.MaxBody < 0 || o.V2Concurrency < 0 {
		return nil, errors.New("didit: the verifier's Tolerance, MaxBody and V2Concurrency must not be negative")
	}
	v := &Verifier{
		tolerance: cmp.Or(o.Tolerance, DefaultTolerance), maxBody: cmp.Or(o.MaxBody, DefaultMaxBody),
		v2Slots: make(chan struct{}, cmp.Or(o.V2Concurrency, DefaultV2Concurrency)), now: o.Now,
	}
	for _, secret := range o.Secrets {
		if strings.TrimSpace(secret) == "" {
			return nil, errors.New("didit: webhook secret is empty")
		}
		v.keys = append(v.keys, newMACKey(secret))
	}
	if v.now == nil {
		v.now = time.Now
	}
	return v, nil
}

// CheckHeader refuses, before the body is read, headers that Verify refuses with any body.
func (v *Verifier) CheckHeader(h http.Header) error {
	_, err := readSignatures(h)
	return err
}

// Verify returns the event of a webhook that Didit signed and sent just now. It tries X-Signature first, over the body as
// it is, and only then X-Signature-V2. It uses nothing of the body before one of them matches, and checks freshness by the
// signed timestamp, because a replay can have other headers.
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

// authenticate scans s. A body without a canonical text is ErrBadSignature, and not ErrMalformed, which is an alarm: that a
// signed body is malformed.
func (v *Verifier) authenticate(s *scanner, sent signatures) error {
	if sent.hasRaw && v.signed(s.src, sent.raw) {
		return s.scan()
	}
	if !sent.hasV2 {
		return ErrBadSignature
	}
	return v.authenticateV2(s, sent.v2)
}

// authenticateV2 costs time and memory before the sender is known, so few run at once, each within a limit.
func (v *Verifier) authenticateV2(s *scanner, sent digest) error {
	size := int64(len(s.src))
	defer v.v2Held.Add(-size)
	if held := v.v2Held.Add(size); held > v2Bytes && held > size || !v.takeSlot() {
		return ErrBusy
	}
	defer func() { <-v.v2Slots }()
	text, err := s.canonicalText(workLimit(len(s.src)))
	if err != nil {
		return fmt.Errorf("%w: no canonical form: %s", ErrBadSignature, err.Error())
	}
	if !v.signed(text, sent) {
		return ErrBadSignature
	}
	return nil
}

// takeSlot reports whether a slot is free in time.
func (v *Verifier) takeSlot() bool {
	select { // a free one costs no timer
	case v.v2Slots <- struct{}{}:
		return true
	default:
	}
	select {
	case v.v2Slots <- struct{}{}:
		return true
	case <-time.After(v2Wait):
		return false
	}
}

func (v *Verifier) signed(message []byte, d digest) bool {
	return slices.ContainsFunc(v.keys, func(k *macKey) bool { return k.signed(message, d) })
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
