package codec

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
)

// Demo is a published secret, for trying things out: everyone can read what it encrypts, and so can every Keys.
const Demo = "demo:jLVUlalq+RcpxCOsPgUz7LrbwkTAHzYQ9j/WfvAXmB0="

const keySize = 32 // AES-256

// Keys encrypts payloads with its first key and decrypts with all of them. The zero value encrypts nothing. It is safe
// for concurrent use, and printing it in any way shows the ids only.
type Keys struct {
	keys *[]key // a pointer, because fmt prints unexported fields of an enclosing struct
}

type key struct {
	id   string
	aead cipher.AEAD
	demo bool
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// ParseKeys reads id:key entries, separated by commas; a key is 32 random bytes in base64. An empty text is the zero
// Keys. The error lists all mistakes, one a line, and repeats nothing of a key.
func ParseKeys(text string) (Keys, error) {
	if strings.TrimSpace(text) == "" {
		return Keys{}, nil
	}
	p := parser{ids: map[string]int{}, secrets: map[string]int{}}
	for i, entry := range strings.Split(text, ",") {
		p.add(i+1, strings.TrimSpace(entry))
	}
	if len(p.errs) > 0 {
		return Keys{}, errors.Join(p.errs...)
	}
	return Keys{&p.keys}, nil
}

// Generate makes a key and returns it as ParseKeys reads it.
func Generate(id string) (string, error) {
	if !idPattern.MatchString(id) {
		return "", errors.New("the id of a key " + idRule)
	}
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	return id + ":" + base64.StdEncoding.EncodeToString(secret), nil
}

// IDs are the ids of the keys; the first one is that of the key which encrypts.
func (k Keys) IDs() []string {
	var ids []string
	for _, one := range k.all() {
		ids = append(ids, one.id)
	}
	return ids
}

// Demo reports whether the demo key is among them, under any id.
func (k Keys) Demo() bool {
	return slices.ContainsFunc(k.all(), func(one key) bool { return one.demo })
}

// Empty reports whether there are none, so that payloads stay as they are.
func (k Keys) Empty() bool { return len(k.all()) == 0 }

func (k Keys) all() []key {
	if k.keys == nil {
		return nil
	}
	return *k.keys
}

// find returns the key of an id. The demo key is always there.
func (k Keys) find(id string) (key, bool) {
	if i := slices.IndexFunc(k.all(), func(one key) bool { return one.id == id }); i >= 0 {
		return k.all()[i], true
	}
	known := demo()
	return known, known.id == id
}

// String implements fmt.Stringer.
func (k Keys) String() string { return "keys[" + strings.Join(k.IDs(), " ") + "]" }

// Format implements fmt.Formatter, which wins over all other methods whatever the verb.
func (k Keys) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, k.String()) }

// MarshalText implements encoding.TextMarshaler, which JSON uses as well.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue implements slog.LogValuer.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }
