package didit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math"
	"strconv"
	"sync"
)

// Sign returns what Didit sends as X-Signature: the HMAC-SHA256 of the exact bytes of the body, in lower-case hex.
// The secret is used as its UTF-8 text and never decoded (https://docs.didit.me/integration/webhooks).
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// SignV2 returns what Didit sends as X-Signature-V2: the HMAC-SHA256 of the body's canonical JSON. A body that has no
// single meaning, or none in UTF-8, has no canonical form: ErrMalformed.
func SignV2(secret string, body []byte) (string, error) {
	s := newScanner(body)
	defer s.release()
	text, err := s.canonicalText(math.MaxInt)
	if err != nil {
		return "", err
	}
	return Sign(secret, text), nil
}

// SignSimple returns what Didit sends as X-Signature-Simple. It does not cover most fields, such as vendor_data, so a
// Verifier ignores it. Simulators of Didit need it.
func SignSimple(secret string, timestamp int64, sessionID, status, webhookType string) string {
	message := strconv.FormatInt(timestamp, 10) + ":" + sessionID + ":" + status + ":" + webhookType
	return Sign(secret, []byte(message))
}

// digest is a signature, decoded.
type digest [sha256.Size]byte

// decodeDigest decodes 64 hex digits of either case.
func decodeDigest(header string) (d digest, ok bool) {
	if len(header) != hex.EncodedLen(len(d)) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(header))
	return d, err == nil
}

// macKey computes the HMACs of one secret. Reusing their states saves hashing the secret each time.
type macKey struct {
	states sync.Pool
}

// macState is an unfinished HMAC, with room for its sum.
type macState struct {
	mac hash.Hash
	sum digest
}

func newMACKey(secret string) *macKey {
	k := &macKey{}
	k.states.New = func() any { return &macState{mac: hmac.New(sha256.New, []byte(secret))} }
	return k
}

// signed reports whether d is the signature of message, in constant time.
func (k *macKey) signed(message []byte, d digest) bool {
	s := k.states.Get().(*macState)
	defer k.states.Put(s)
	s.mac.Write(message)
	s.mac.Sum(s.sum[:0])
	s.mac.Reset() // at once: the state holds the last bytes of the message
	return hmac.Equal(s.sum[:], d[:])
}
