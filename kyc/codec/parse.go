package codec

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
)

const idRule = "is not 1 to 32 letters, digits, '.', '_' or '-'"

// parser collects keys and the mistakes in them. A mistake names the position, not the id, because an operator may swap key
// and id.
type parser struct {
	keys         []key
	ids, secrets map[string]int // the position of each
	errs         []error
}

func (p *parser) fail(place int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("entry %d "+format, append([]any{place}, args...)...))
}

func (p *parser) add(place int, entry string) {
	id, text, both := strings.Cut(entry, ":")
	switch {
	case entry == "":
		p.fail(place, "is empty: remove the extra comma")
		return
	case !both:
		p.fail(place, "has no id: want id:key")
		return
	case !idPattern.MatchString(id):
		p.fail(place, "has an id that %s", idRule)
	case p.ids[id] > 0:
		p.fail(place, "has the id of entry %d: give each key an id of its own", p.ids[id])
	}
	if p.ids[id] == 0 {
		p.ids[id] = place
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(text)
	switch {
	case err != nil || len(secret) != keySize:
		p.fail(place, "is not %d bytes in base64: make a key with `openssl rand -base64 32`", keySize)
		return
	case guessable(secret):
		p.fail(place, "is not random: make a key with `openssl rand -base64 32`")
		return
	case p.secrets[string(secret)] > 0:
		p.fail(place, "is the same key as entry %d", p.secrets[string(secret)])
	}
	p.secrets[string(secret)] = place
	p.keys = append(p.keys, newKey(id, secret))
}

// newKey never fails: the key has the right size.
func newKey(id string, secret []byte) key {
	block, _ := aes.NewCipher(secret)
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	return key{id: id, aead: aead, demo: bytes.Equal(secret, demoSecret())}
}

// guessable finds keys that no random generator makes, not in the life of the universe: text, few different bytes, bytes
// in equal steps.
func guessable(secret []byte) bool {
	text, steady := true, true
	seen := map[byte]bool{}
	for i, b := range secret {
		seen[b] = true
		text = text && b >= ' ' && b <= '~'
		steady = steady && (i == 0 || b-secret[i-1] == secret[1]-secret[0])
	}
	return text || steady || len(seen) < keySize/2
}

func demoSecret() []byte {
	_, text, _ := strings.Cut(Demo, ":")
	secret, _ := base64.StdEncoding.DecodeString(text)
	return secret
}

var demo = sync.OnceValue(func() key {
	id, _, _ := strings.Cut(Demo, ":")
	return newKey(id, demoSecret())
})
