package didit

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hookVector is an entry of testdata/signature-vectors.json, which says what each of its fields means.
type hookVector struct {
	Name             string            `json:"name"`
	Secret           string            `json:"secret"`
	Timestamp        string            `json:"x_timestamp"`
	BodyHex          string            `json:"raw_body_hex"`
	CanonicalHex     string            `json:"canonical_v2_hex"`
	Signature        string            `json:"x_signature"`
	SignatureV2      string            `json:"x_signature_v2"`
	SignatureSimple  string            `json:"x_signature_simple"`
	V2JavaScript     string            `json:"x_signature_v2_javascript"`
	V2JavaScriptDemo string            `json:"x_signature_v2_javascript_demo"`
	VerifyAt         int64             `json:"verify_at_unix"`
	NotValid         map[string]string `json:"not_valid"`
	ExtraHeaders     map[string]string `json:"extra_headers"`
	Expect           string            `json:"expect"`
}

func (v hookVector) body(t *testing.T) []byte {
	t.Helper()
	return unhex(t, v.BodyHex)
}

// verify sends the vector's body with X-Timestamp, the vector's extra headers and those given as name, value, ...
func (v hookVector) verify(t *testing.T, headers ...string) (Event, error) {
	t.Helper()
	h := hookHeader(append(headers, HeaderTimestamp, v.Timestamp)...)
	for name, value := range v.ExtraHeaders {
		h.Set(name, value)
	}
	return verifierAt(t, v.VerifyAt, v.Secret).Verify(h, v.body(t))
}

func hookVectors(t *testing.T) (positive, negative []hookVector) {
	t.Helper()
	source, err := os.ReadFile("testdata/signature-vectors.json")
	require.NoError(t, err)
	var file struct{ Vectors, Negative []hookVector }
	require.NoError(t, json.Unmarshal(source, &file))
	require.Len(t, file.Vectors, 8)
	require.Len(t, file.Negative, 9)
	return file.Vectors, file.Negative
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(text)
	require.NoError(t, err)
	return decoded
}

func TestVectorsOfAllSchemes(t *testing.T) {
	t.Parallel()
	positive, _ := hookVectors(t)
	for _, v := range positive {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			text, err := canonicalOf(v.body(t))
			require.NoError(t, err)
			assert.Equal(t, string(unhex(t, v.CanonicalHex)), string(text))
			assert.Equal(t, v.Signature, Sign(v.Secret, v.body(t)))
			assert.Equal(t, v.SignatureV2, signV2(t, v.Secret, v.body(t)))

			var fields struct {
				SessionID   string `json:"session_id"`
				Status      string `json:"status"`
				WebhookType string `json:"webhook_type"`
				Timestamp   int64  `json:"timestamp"`
			}
			require.NoError(t, json.Unmarshal(v.body(t), &fields))
			assert.Equal(t, v.SignatureSimple, SignSimple(v.Secret, fields.Timestamp, fields.SessionID, fields.Status, fields.WebhookType))
		})
	}
}

func TestVectorsAreAccepted(t *testing.T) {
	t.Parallel()
	positive, _ := hookVectors(t)
	for _, v := range positive {
		wrong := Sign("another secret", v.body(t))
		for name, headers := range map[string][]string{
			"all three":               {HeaderSignature, v.Signature, HeaderSignatureV2, v.SignatureV2, HeaderSignatureSimple, v.SignatureSimple},
			"raw alone":               {HeaderSignature, v.Signature},
			"raw under blog's name":   {HeaderSignatureBlog, v.Signature},
			"raw, wrong V2":           {HeaderSignature, v.Signature, HeaderSignatureV2, wrong},
			"V2 alone":                {HeaderSignatureV2, v.SignatureV2},
			"V2, wrong raw":           {HeaderSignature, wrong, HeaderSignatureV2, v.SignatureV2},
			"V2, raw no signature":    {HeaderSignature, "?", HeaderSignatureV2, v.SignatureV2},
			"empty raw, blog's name":  {HeaderSignature, "", HeaderSignatureBlog, v.Signature},
			"raw, wrong blog's name":  {HeaderSignature, v.Signature, HeaderSignatureBlog, wrong},
			"V2, wrong Simple beside": {HeaderSignatureV2, v.SignatureV2, HeaderSignatureSimple, wrong},
		} {
			t.Run(v.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				event, err := v.verify(t, headers...)
				require.NoError(t, err)
				assert.Equal(t, v.Timestamp, strconv.FormatInt(event.Timestamp, 10))
				assert.Equal(t, v.Name == "console-test-webhook", event.Test)
			})
		}
	}
}

func TestSignaturesOfOtherSchemesAreRefused(t *testing.T) {
	t.Parallel()
	positive, _ := hookVectors(t)
	tested := 0
	for _, v := range positive {
		_, err := v.verify(t, HeaderSignatureSimple, v.SignatureSimple)
		require.ErrorIs(t, err, ErrNotSigned, "%s: Simple alone", v.Name)
		for name, signature := range v.NotValid {
			headerName, want := HeaderSignatureV2, ErrBadSignature
			if strings.HasPrefix(name, "simple_") {
				headerName, want = HeaderSignatureSimple, ErrNotSigned
			}
			_, err := v.verify(t, headerName, signature)
			require.ErrorIs(t, err, want, "%s: %s", v.Name, name)
			tested++
		}
		for _, signature := range []string{v.V2JavaScript, v.V2JavaScriptDemo} {
			if signature == "" {
				continue
			}
			_, err := v.verify(t, HeaderSignatureV2, signature)
			require.ErrorIs(t, err, ErrBadSignature, "%s: JavaScript", v.Name)
			tested++
		}
	}
	assert.Equal(t, 25, tested)
}

func TestNegativeVectors(t *testing.T) {
	t.Parallel()
	want := map[string]error{
		"stale-301s": ErrStale, "future-301s": ErrStale, "refreshed-header-replay": ErrStale,
		"tampered-vendor-data": ErrBadSignature, "wrong-secret": ErrBadSignature, "empty-signatures": ErrNotSigned,
		"edge-300s-accept": nil, "uppercase-hex": nil, "lone-surrogate": ErrMalformed,
	}
	_, negative := hookVectors(t)
	for _, v := range negative {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			expected, listed := want[v.Name]
			require.True(t, listed)
			_, err := v.verify(t, HeaderSignature, v.Signature, HeaderSignatureV2, v.SignatureV2, HeaderSignatureSimple, v.SignatureSimple)
			require.ErrorIs(t, err, expected)
			switch v.Expect {
			case "accept", "either": // upper case is accepted
				require.NoError(t, err)
			case "reject", "v2-reject":
				require.Error(t, err)
			default:
				t.Fatalf("unknown expectation %q", v.Expect)
			}
		})
	}
}

func TestLoneSurrogateHasNoV2(t *testing.T) {
	t.Parallel()
	_, negative := hookVectors(t)
	v := negative[len(negative)-1]
	require.Equal(t, "lone-surrogate", v.Name)
	_, err := SignV2(v.Secret, v.body(t))
	require.ErrorIs(t, err, ErrMalformed)
	_, err = v.verify(t, HeaderSignatureV2, v.Signature)
	require.ErrorIs(t, err, ErrBadSignature)
	require.NotErrorIs(t, err, ErrMalformed)
}

func TestTamperedVendorDataPassesSimple(t *testing.T) {
	t.Parallel()
	_, negative := hookVectors(t)
	for _, v := range negative {
		if v.Name == "tampered-vendor-data" {
			assert.Equal(t, v.SignatureSimple, SignSimple(v.Secret, hookTime, "11111111-2222-4333-8444-555555555555", "Not Started", EventStatusUpdated))
			_, err := v.verify(t, HeaderSignatureSimple, v.SignatureSimple)
			require.ErrorIs(t, err, ErrNotSigned)
		}
	}
}
