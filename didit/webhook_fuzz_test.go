package didit

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var fuzzSeeds = []string{
	hookBody, `{}`, `[]`, `null`, ` [1, -0, 1.50, 1e-7, 1E+21, 0.0001, 123456789012345678901234567890, 9.332636185032189826e-302] `,
	`{"timestamp":1795000001.0,"metadata":{"test_webhook":true},"vendor_data":null}`, `{"b":{"y":1,"x":[{"d":1,"c":2}]},"a":{"b":"\u00e9\ud83d\ude00\/"}}`,
	`{"a":1,"\u0061":2}`, `{"a":"\ud800"}`, `{"vendor_data":17,"timestamp":1795000001}`, "{\"\xff\":1}", `{"a":1e999}`, `[[[[[[[[`, `{"a":1}{`, "\ufeff{}",
	"{\n  \"b\" : [ true , false ] ,\n  \"a\" : \"tab\\tnl\\nnul\\u0000 \u2028\"\n}", `{"":0,"\u0000":1,"\n":2,"\\":3,"z":4,"é":5}`,
}

// FuzzCanonical holds the canonical text against the reference, which rests on encoding/json: both take the same bodies
// and give the same text. That the text is canonical already means that its own canonical text is the same.
func FuzzCanonical(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		text, err := canonicalOf(body)
		require.Equal(t, before, body, "the body is only read")
		want, wantErr := referenceCanonical(body)
		require.Equal(t, wantErr == nil, err == nil, "reference: %v, here: %v", wantErr, err)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.Equal(t, want, string(text))
		again, err := canonicalOf(text)
		require.NoError(t, err)
		require.Equal(t, want, string(again))

		s := newScanner(body)
		defer s.release()
		require.NoError(t, s.scan(), "a raw-signed body is judged alike")
	})
}

// FuzzVerify sends bodies with headers that are right or wrong and checks that what is accepted was signed and is
// what encoding/json reads, and that each refusal has one reason.
func FuzzVerify(f *testing.F) {
	for i, seed := range fuzzSeeds {
		f.Add([]byte(seed), "", strings.Repeat("0f", 32), strconv.Itoa(hookTime), uint8(i))
		f.Add([]byte(seed), strings.Repeat("F0", 32), "", "x", uint8(i+4))
	}
	f.Fuzz(func(t *testing.T, body []byte, raw, v2, timestamp string, sign uint8) {
		v2OfBody, v2Err := SignV2(hookSecret, body)
		if sign&1 != 0 {
			raw = Sign(hookSecret, body)
		}
		if sign&2 != 0 && v2Err == nil {
			v2 = v2OfBody
		}
		h := http.Header{HeaderSignature: {raw}, HeaderSignatureV2: {v2}}
		if sign&4 != 0 {
			h.Set(HeaderTimestamp, timestamp)
		}
		event, err := verifierAt(t, hookTime, "another secret", hookSecret).Verify(h, body)
		if err != nil {
			require.Equal(t, Event{}, event)
			require.Equal(t, 1, reasonCount(err), "%v", err)
			return
		}
		require.True(t, strings.EqualFold(raw, Sign(hookSecret, body)) || v2Err == nil && strings.EqualFold(v2, v2OfBody))
		require.LessOrEqual(t, time.Unix(hookTime, 0).Sub(time.Unix(event.Timestamp, 0)).Abs(), DefaultTolerance)
		if json.Valid(body) { // what Python alone writes has no reference in Go
			require.Equal(t, referenceEvent(t, body), event)
		}
	})
}

func reasonCount(err error) (n int) {
	for _, reason := range []error{ErrNotSigned, ErrBadSignature, ErrStale, ErrMalformed, ErrTooLarge} {
		if errors.Is(err, reason) {
			n++
		}
	}
	return n
}

// referenceEvent reads the envelope by encoding/json, through a map because struct tags would match keys of any case.
func referenceEvent(t *testing.T, body []byte) Event {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal(body, &members))
	text := func(key string) string { value, _ := members[key].(string); return value }
	seconds := func(key string) int64 { value, _ := members[key].(float64); return int64(value) }
	metadata, _ := members["metadata"].(map[string]any)
	return Event{
		ID: text("event_id"), Type: text("webhook_type"), Timestamp: seconds("timestamp"), CreatedAt: seconds("created_at"),
		Environment: Environment(text("environment")), SessionID: text("session_id"), SessionKind: text("session_kind"),
		Status: Status(text("status")), WorkflowID: text("workflow_id"), VendorData: text("vendor_data"),
		Metadata: referenceMetadata(t, body), Test: metadata["test_webhook"] == true,
	}
}

func referenceMetadata(t *testing.T, body []byte) json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &members))
	if m := members["metadata"]; string(m) != "null" {
		return m
	}
	return nil
}
