package didit

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Headers of a webhook (https://docs.didit.me/integration/webhooks), in the form in which http.Header keeps them. Didit
// sends all three signatures each time.
const (
	// HeaderSignature signs the exact bytes of the body.
	HeaderSignature = "X-Signature"
	// HeaderSignatureV2 signs the canonical JSON of the body, so it survives a proxy that rewrites the JSON.
	HeaderSignatureV2 = "X-Signature-V2"
	// HeaderSignatureSimple signs four fields only; a Verifier ignores it.
	HeaderSignatureSimple = "X-Signature-Simple"
	// HeaderSignatureBlog is what Didit's blog calls X-Signature. It is read where X-Signature is absent or empty.
	HeaderSignatureBlog = "X-Didit-Signature"
	// HeaderTimestamp repeats the body's timestamp. No signature covers it.
	HeaderTimestamp = "X-Timestamp"
	// HeaderTest is "true" on test deliveries from Didit's console.
	HeaderTest = "X-Didit-Test-Webhook"
)

// signatures are those that cover the whole body.
type signatures struct {
	raw, v2       digest
	hasRaw, hasV2 bool
}

func readSignatures(h http.Header) (sent signatures, err error) {
	raw, err := single(h, HeaderSignature)
	if err == nil && raw == "" {
		raw, err = single(h, HeaderSignatureBlog)
	}
	if err != nil {
		return sent, err
	}
	v2, err := single(h, HeaderSignatureV2)
	if err != nil {
		return sent, err
	}
	if _, err := single(h, HeaderTimestamp); err != nil {
		return sent, err
	}
	if raw == "" && v2 == "" {
		return sent, ErrNotSigned
	}
	sent.raw, sent.hasRaw = decodeDigest(raw)
	sent.v2, sent.hasV2 = decodeDigest(v2)
	if !sent.hasRaw && !sent.hasV2 {
		return sent, fmt.Errorf("%w: want 64 hex digits", ErrBadSignature)
	}
	return sent, nil
}

// single returns the value of a header. Two values are refused: the signature check would read one, and a proxy or a log
// perhaps the other.
func single(h http.Header, name string) (string, error) {
	switch values := h[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", fmt.Errorf("%w: header %s is repeated", ErrBadSignature, name)
}

func isTest(h http.Header) bool {
	return slices.ContainsFunc(h[HeaderTest], func(value string) bool { return strings.EqualFold(value, "true") })
}
