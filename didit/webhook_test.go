package didit

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	hookSecret = "vector-secret-1_not-a-real-credential_000000"
	hookTime   = 1795000001
	hookBody   = `{"created_at":1795000000,"event_id":"e1","session_id":"s1","status":"Approved","timestamp":1795000001,"vendor_data":"user-0001","webhook_type":"status.updated"}`
)

// hookHeader makes a header of name, value, ... as net/http would.
func hookHeader(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func verifierAt(tb testing.TB, unix int64, secrets ...string) *Verifier {
	tb.Helper()
	v, err := NewVerifier(VerifierOptions{Secrets: secrets, Now: func() time.Time { return time.Unix(unix, 0) }})
	require.NoError(tb, err)
	return v
}

// canonicalOf returns the canonical text of body in memory of its own.
func canonicalOf(body []byte) ([]byte, error) {
	s := newScanner(body)
	defer s.release()
	text, err := s.canonicalText(math.MaxInt)
	return bytes.Clone(text), err
}

func signV2(tb testing.TB, secret string, body []byte) string {
	tb.Helper()
	signature, err := SignV2(secret, body)
	require.NoError(tb, err)
	return signature
}

func TestEventHoldsTheEnvelope(t *testing.T) {
	t.Parallel()
	positive, _ := hookVectors(t)
	require.Equal(t, "rich-unsorted-unicode-html", positive[1].Name)
	event, err := positive[1].verify(t, HeaderSignature, positive[1].Signature)
	require.NoError(t, err)
	require.NotEmpty(t, event.Metadata)
	event.Metadata = nil
	assert.Equal(t, Event{
		ID: "e0000000-0000-4000-8000-000000000002", Type: EventStatusUpdated, Timestamp: 1795000100, CreatedAt: 1795000094,
		Environment: EnvironmentLive, SessionID: "11111111-2222-4333-8444-555555555555", SessionKind: "user", Status: StatusApproved,
		WorkflowID: "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", VendorData: `Zoë & <Søn> "O'Neil" \ 日本 😀`,
	}, event)
}

func TestNewVerifierRefusesBadOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]VerifierOptions{
		"no secret":          {},
		"empty secret":       {Secrets: []string{"a", ""}},
		"blank secret":       {Secrets: []string{" \n"}},
		"negative tolerance": {Secrets: []string{"a"}, Tolerance: -1},
		"negative cap":       {Secrets: []string{"a"}, MaxBody: -1},
	} {
		_, err := NewVerifier(o)
		require.Error(t, err, name)
	}
}

func TestAnyOfSeveralSecretsVerifies(t *testing.T) {
	t.Parallel()
	body := []byte(hookBody)
	v := verifierAt(t, hookTime, "older", "current", "next")
	for secret, want := range map[string]error{"older": nil, "current": nil, "next": nil, "gone": ErrBadSignature, "": ErrBadSignature} {
		_, err := v.Verify(hookHeader(HeaderSignature, Sign(secret, body)), body)
		require.ErrorIs(t, err, want, "raw, %s", secret)
		_, err = v.Verify(hookHeader(HeaderSignatureV2, signV2(t, secret, body)), body)
		require.ErrorIs(t, err, want, "V2, %s", secret)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	body := []byte(hookBody)
	raw, v2, now := Sign(hookSecret, body), signV2(t, hookSecret, body), strconv.Itoa(hookTime)
	for name, tc := range map[string]struct {
		headers []string
		want    error
	}{
		"nothing":                     {nil, ErrNotSigned},
		"empty raw":                   {[]string{HeaderSignature, ""}, ErrNotSigned},
		"all empty":                   {[]string{HeaderSignature, "", HeaderSignatureV2, "", HeaderSignatureBlog, ""}, ErrNotSigned},
		"Simple alone":                {[]string{HeaderSignatureSimple, raw}, ErrNotSigned},
		"Simple and a time":           {[]string{HeaderSignatureSimple, SignSimple(hookSecret, hookTime, "s1", "Approved", EventStatusUpdated), HeaderTimestamp, now}, ErrNotSigned},
		"not hex":                     {[]string{HeaderSignature, strings.Repeat("x", 64)}, ErrBadSignature},
		"63 digits":                   {[]string{HeaderSignature, raw[:63]}, ErrBadSignature},
		"65 digits":                   {[]string{HeaderSignature, raw + "0"}, ErrBadSignature},
		"prefix":                      {[]string{HeaderSignature, "sha256=" + raw}, ErrBadSignature},
		"two in one":                  {[]string{HeaderSignature, raw + "," + raw}, ErrBadSignature},
		"raw twice":                   {[]string{HeaderSignature, raw, HeaderSignature, raw}, ErrBadSignature},
		"raw twice, one empty":        {[]string{HeaderSignature, "", HeaderSignature, raw}, ErrBadSignature},
		"V2 twice beside raw":         {[]string{HeaderSignature, raw, HeaderSignatureV2, v2, HeaderSignatureV2, v2}, ErrBadSignature},
		"blog's name twice":           {[]string{HeaderSignatureBlog, raw, HeaderSignatureBlog, raw}, ErrBadSignature},
		"time twice":                  {[]string{HeaderSignature, raw, HeaderTimestamp, now, HeaderTimestamp, now}, ErrBadSignature},
		"raw sent as V2":              {[]string{HeaderSignatureV2, Sign(hookSecret, []byte("{}"))}, ErrBadSignature},
		"upper case":                  {[]string{HeaderSignature, strings.ToUpper(raw)}, nil},
		"header names in lower case":  {[]string{"x-signature", raw, "x-timestamp", now}, nil},
		"time agrees":                 {[]string{HeaderSignature, raw, HeaderTimestamp, now}, nil},
		"time one second off":         {[]string{HeaderSignature, raw, HeaderTimestamp, strconv.Itoa(hookTime + 1)}, ErrStale},
		"time of another form":        {[]string{HeaderSignature, raw, HeaderTimestamp, now + ".0"}, ErrStale},
		"time empty":                  {[]string{HeaderSignature, raw, HeaderTimestamp, ""}, ErrStale},
		"time is a word":              {[]string{HeaderSignatureV2, v2, HeaderTimestamp, "now"}, ErrStale},
		"wrong time, wrong signature": {[]string{HeaderSignature, Sign("x", body), HeaderTimestamp, "0"}, ErrBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifierAt(t, hookTime, hookSecret)
			_, err := v.Verify(hookHeader(tc.headers...), body)
			require.ErrorIs(t, err, tc.want)
			if err := v.CheckHeader(hookHeader(tc.headers...)); err != nil {
				require.ErrorIs(t, err, tc.want, "what CheckHeader refuses, Verify refuses alike")
			}
		})
	}
}

func TestCheckHeader(t *testing.T) {
	t.Parallel()
	v, signature := verifierAt(t, hookTime, hookSecret), strings.Repeat("0", 64)
	require.NoError(t, v.CheckHeader(hookHeader(HeaderSignature, signature)))
	require.NoError(t, v.CheckHeader(hookHeader(HeaderSignatureBlog, signature)))
	require.NoError(t, v.CheckHeader(hookHeader(HeaderSignature, "?", HeaderSignatureV2, signature)))
	require.ErrorIs(t, v.CheckHeader(nil), ErrNotSigned)
	require.ErrorIs(t, v.CheckHeader(hookHeader(HeaderSignatureSimple, signature)), ErrNotSigned)
	require.ErrorIs(t, v.CheckHeader(hookHeader(HeaderSignature, "?")), ErrBadSignature)
	require.ErrorIs(t, v.CheckHeader(hookHeader(HeaderSignature, signature, HeaderTimestamp, "1", HeaderTimestamp, "1")), ErrBadSignature)
}

func TestEveryByteOfTheBodyIsSigned(t *testing.T) {
	t.Parallel()
	v, body := verifierAt(t, hookTime, hookSecret), []byte(hookBody)
	h := hookHeader(HeaderSignature, Sign(hookSecret, body), HeaderSignatureV2, signV2(t, hookSecret, body))
	for i := range body {
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
			tampered := bytes.Clone(body)
			tampered[i] ^= flip
			_, err := v.Verify(h, tampered)
			require.ErrorIs(t, err, ErrBadSignature, "byte %d", i)
		}
		_, err := v.Verify(h, append(bytes.Clone(body[:i]), body[i+1:]...))
		require.ErrorIs(t, err, ErrBadSignature, "without byte %d", i)
	}
}

func TestFreshnessIsCheckedInBothDirections(t *testing.T) {
	t.Parallel()
	body := []byte(hookBody)
	h := hookHeader(HeaderSignature, Sign(hookSecret, body))
	for _, tolerance := range []time.Duration{0, time.Second, 360 * time.Second} {
		edge := tolerance
		if edge == 0 {
			edge = DefaultTolerance
		}
		for offset, want := range map[time.Duration]error{
			0: nil, edge: nil, -edge: nil,
			edge + time.Millisecond: ErrStale, -edge - time.Millisecond: ErrStale,
			edge + time.Second: ErrStale, -edge - time.Second: ErrStale, 200 * 365 * 24 * time.Hour: ErrStale, -200 * 365 * 24 * time.Hour: ErrStale,
		} {
			v, err := NewVerifier(VerifierOptions{
				Secrets: []string{hookSecret}, Tolerance: tolerance,
				Now: func() time.Time { return time.Unix(hookTime, 0).Add(offset) },
			})
			require.NoError(t, err)
			_, err = v.Verify(h, body)
			require.ErrorIs(t, err, want, "%s from now, tolerance %s", offset, tolerance)
		}
	}
}

func TestTheClockIsTheRealOneUnlessGiven(t *testing.T) {
	t.Parallel()
	v, err := NewVerifier(VerifierOptions{Secrets: []string{hookSecret}})
	require.NoError(t, err)
	for age, want := range map[time.Duration]error{0: nil, time.Hour: ErrStale} {
		body := fmt.Appendf(nil, `{"timestamp":%d}`, time.Now().Add(-age).Unix())
		_, err = v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, body)), body)
		require.ErrorIs(t, err, want)
	}
}

func TestSignedTime(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]error{
		`1795000001`: nil, `1795000001.0`: nil, `1.795000001e9`: nil, `1795000001000e-3`: nil,
		`1795000001.5`: ErrMalformed, `"1795000001"`: ErrMalformed, `null`: ErrMalformed, `true`: ErrMalformed, `[1795000001]`: ErrMalformed,
		`{}`: ErrMalformed, `1e999`: ErrMalformed, `9223372036854775807`: ErrMalformed, `-9223372036854775809`: ErrMalformed,
		`0`: ErrStale, `-0`: ErrStale, `-1795000001`: ErrStale, `1795000001000`: ErrStale, `9007199254740992`: ErrStale, `-9007199254740992`: ErrStale,
	} {
		_, err := verifyRaw(t, `{"timestamp":`+value+`}`)
		require.ErrorIs(t, err, want, value)
	}
	for _, body := range []string{`{}`, `{"timestamp ":1795000001}`, `{"Timestamp":1795000001}`, `{"a":{"timestamp":1795000001}}`, `[{"timestamp":1795000001}]`, `1795000001`, `null`, `"timestamp"`} {
		_, err := verifyRaw(t, body)
		require.ErrorIs(t, err, ErrMalformed, body)
	}
}

// verifyRaw verifies a body that is signed, as it is, by hookSecret.
func verifyRaw(tb testing.TB, body string) (Event, error) {
	tb.Helper()
	return verifierAt(tb, hookTime, hookSecret).Verify(hookHeader(HeaderSignature, Sign(hookSecret, []byte(body))), []byte(body))
}

func TestFieldsAreReadLeniently(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		members string
		want    Event
		err     error
	}{
		"nothing else":               {`"x":{"session_id":"no"}`, Event{}, nil},
		"nulls":                      {`"vendor_data":null,"event_id":null,"created_at":null,"status":null,"metadata":null`, Event{}, nil},
		"empty strings":              {`"vendor_data":"","event_id":""`, Event{}, nil},
		"unknown values":             {`"status":"Teleported","environment":"mars"`, Event{Status: "Teleported", Environment: "mars"}, nil},
		"escapes":                    {`"vendor_data":"a\u0041\n\"\\\/\ud83d\ude00","status":"In\u0020Review"`, Event{VendorData: "aA\n\"\\/😀", Status: StatusInReview}, nil},
		"escaped key":                {`"vendor\u005fdata":"u1","\u0073tatus":"Approved"`, Event{VendorData: "u1", Status: StatusApproved}, nil},
		"keys are case-sensitive":    {`"Vendor_Data":"u1"`, Event{}, nil},
		"whole float":                {`"created_at":1795000000.0`, Event{CreatedAt: 1795000000}, nil},
		"vendor_data is a number":    {`"vendor_data":17`, Event{}, ErrMalformed},
		"status is an object":        {`"status":{}`, Event{}, ErrMalformed},
		"event_id is an array":       {`"event_id":["e1"]`, Event{}, ErrMalformed},
		"environment is false":       {`"environment":false`, Event{}, ErrMalformed},
		"created_at is a string":     {`"created_at":"2026-11-18T10:00:00Z"`, Event{}, ErrMalformed},
		"test event":                 {`"metadata":{"test_webhook":true}`, Event{Test: true}, nil},
		"test event, escaped keys":   {`"met\u0061data":{"test\u005fwebhook":true}`, Event{Test: true}, nil},
		"test_webhook is false":      {`"metadata":{"test_webhook":false}`, Event{}, nil},
		"test_webhook is a string":   {`"metadata":{"test_webhook":"true"}`, Event{}, nil},
		"test_webhook elsewhere":     {`"metadata":{"a":{"test_webhook":true},"b":[{"test_webhook":true}]},"n":{"test_webhook":true},"test_webhook":true`, Event{}, nil},
		"metadata is text":           {`"metadata":"{\"test_webhook\":true}"`, Event{}, nil},
		"members in the wrong place": {`"decision":{"vendor_data":"u2","status":"Declined","timestamp":5}`, Event{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(`{"timestamp":1795000001,` + tc.members + `}`)
			tc.want.Timestamp = hookTime
			if tc.err != nil {
				tc.want = Event{}
			}
			for _, h := range []http.Header{hookHeader(HeaderSignature, Sign(hookSecret, body)), hookHeader(HeaderSignatureV2, signV2(t, hookSecret, body))} {
				event, err := verifierAt(t, hookTime, hookSecret).Verify(h, body)
				require.ErrorIs(t, err, tc.err)
				event.Metadata = nil // see TestMetadataIsInTheEvent
				assert.Equal(t, tc.want, event)
			}
		})
	}
}

func TestTestHeaderMarksAnEvent(t *testing.T) {
	t.Parallel()
	signature := Sign(hookSecret, []byte(hookBody))
	for value, want := range map[string]bool{"true": true, "True": true, "false": false, "": false, "1": false} {
		event, err := verifierAt(t, hookTime, hookSecret).Verify(hookHeader(HeaderSignature, signature, HeaderTest, value), []byte(hookBody))
		require.NoError(t, err)
		assert.Equal(t, want, event.Test, value)
	}
	_, err := verifierAt(t, hookTime, hookSecret).Verify(hookHeader(HeaderTest, "true"), []byte(hookBody))
	require.ErrorIs(t, err, ErrNotSigned, "a test delivery must be signed as well")
}

func TestBodyCap(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1000} {
		v, err := NewVerifier(VerifierOptions{Secrets: []string{hookSecret}, MaxBody: size, Now: func() time.Time { return time.Unix(hookTime, 0) }})
		require.NoError(t, err)
		if size == 0 {
			size = DefaultMaxBody
		}
		body := []byte(hookBody + strings.Repeat(" ", size-len(hookBody)))
		_, err = v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, body)), body)
		require.NoError(t, err)
		body = append(body, ' ')
		_, err = v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, body)), body)
		require.ErrorIs(t, err, ErrTooLarge)
	}
}

func TestErrorsHoldNothingOfTheBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"Zaphod":"Zaphod"`, `{"Zaphod":1,"Zaphod":2}`, `Zaphod`, `{"vendor_data":{"Zaphod":1},"timestamp":1795000001}`, "{\"a\":\"Zaphod\xff\"}",
		`{"timestamp":"Zaphod"}`, `{"status":"Zaphod","timestamp":42}`, `{"Zaphod":"\ud800"}`, `{"timestamp":17950000010}`, `{"Zaphod":1e999}`, `{} Zaphod`,
	} {
		v := verifierAt(t, hookTime, hookSecret)
		for _, h := range []http.Header{hookHeader(HeaderSignature, Sign(hookSecret, []byte(body))), hookHeader(HeaderSignatureV2, Sign(hookSecret, nil))} {
			event, err := v.Verify(h, []byte(body))
			require.Error(t, err, body)
			assert.Equal(t, Event{}, event)
			assert.NotContains(t, err.Error(), "Zaphod")
			assert.NotContains(t, err.Error(), "1795")
			assert.NotContains(t, err.Error(), hookSecret)
		}
	}
}

func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	v := verifierAt(t, hookTime, "first", hookSecret)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 200 {
				user := fmt.Sprintf("user-%d-%d-é", worker, i)
				body := fmt.Appendf(nil, `{"vendor_data": "%s", "timestamp": %d, "\u0062": "%s", "a": 1.50}`, user, hookTime, strings.Repeat(`\u00e9`, i))
				v2, err := SignV2(hookSecret, body)
				assert.NoError(t, err)
				for _, h := range []http.Header{hookHeader(HeaderSignature, Sign(hookSecret, body)), hookHeader(HeaderSignatureV2, v2)} {
					event, err := v.Verify(h, body)
					assert.NoError(t, err)
					assert.Equal(t, user, event.VendorData)
				}
			}
		})
	}
	wg.Wait()
}

func TestMetadataIsInTheEvent(t *testing.T) {
	for sent, want := range map[string]string{
		`{"a": [1, "é"], "b": {"c": null}}`: `{"a": [1, "é"], "b": {"c": null}}`, `"text"`: `"text"`, `null`: ``, `{}`: `{}`,
	} {
		body := fmt.Appendf(nil, `{"timestamp":%d,"metadata":%s,"other":{"metadata":1}}`, hookTime, sent)
		event, err := verifierAt(t, hookTime, hookSecret).Verify(http.Header{HeaderSignature: {Sign(hookSecret, body)}}, body)
		require.NoError(t, err)
		assert.Equal(t, want, string(event.Metadata))
		clear(body)
		assert.Equal(t, want, string(event.Metadata), "a copy, for the body is the caller's")
	}
}
