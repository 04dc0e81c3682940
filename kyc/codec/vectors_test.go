package codec_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/kyc/codec"
)

// vectorsFile is what the codecs of all languages are tested with: clients/python and clients/typescript read it too.
const vectorsFile = "testdata/vectors.json"

var writeVectors = flag.Bool("write-vectors", false, "seal the payloads of "+vectorsFile+" anew, for this language")

type vectors struct {
	Note string `json:"note"`
	// Keys are entries of PAYLOAD_KEYS by id, made for this file.
	Keys     map[string]string `json:"keys"`
	Payloads []wirePayload     `json:"payloads"`
	// Sealed holds each payload with each key, as each language writes it.
	Sealed  []sealedPayload `json:"sealed"`
	Refused []refused       `json:"refused"`
	// BadKeys are texts that PAYLOAD_KEYS must not be.
	BadKeys map[string]string `json:"bad_keys"`
}

type wirePayload struct {
	Name     string            `json:"name"`
	Metadata map[string][]byte `json:"metadata"`
	Data     []byte            `json:"data"`
}

type sealedPayload struct {
	MadeBy string `json:"made_by"`
	Key    string `json:"key"`
	wirePayload
}

type refused struct {
	wirePayload
	Keys  []string `json:"keys"`  // ids of those at hand
	Error string   `json:"error"` // unknown-key or damaged
}

func (p wirePayload) proto() *commonpb.Payload {
	return &commonpb.Payload{Metadata: p.Metadata, Data: p.Data}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	raw, err := os.ReadFile(vectorsFile)
	require.NoError(t, err)
	var v vectors
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

// with returns the keys of those ids, the first of which encrypts.
func (v vectors) with(t *testing.T, ids ...string) codec.Keys {
	t.Helper()
	entries := make([]string, len(ids))
	for i, id := range ids {
		entries[i] = v.Keys[id]
	}
	return keys(t, entries...)
}

func TestEveryLanguagesPayloadsAreRead(t *testing.T) {
	v := readVectors(t)
	if *writeVectors {
		v.seal(t)
	}
	languages := map[string]int{}
	for _, s := range v.Sealed {
		languages[s.MadeBy]++
		want := v.Payloads[slices.IndexFunc(v.Payloads, func(p wirePayload) bool { return p.Name == s.Name })]
		for _, ids := range [][]string{{"old", "new"}, {"new", "old"}} { // the middle of a rotation, from both sides
			got, err := v.with(t, ids...).Codec().Decode([]*commonpb.Payload{s.proto()})
			require.NoError(t, err, "%s by %s", s.Name, s.MadeBy)
			same(t, want.proto(), got[0])
		}
	}
	for _, language := range []string{"go", "python", "typescript"} {
		assert.Equal(t, 2*len(v.Payloads), languages[language], "%s: each payload with each key", language)
	}
}

func TestTheVectorsThatAreRefused(t *testing.T) {
	v := readVectors(t)
	require.NotEmpty(t, v.Refused)
	for _, r := range v.Refused {
		_, err := v.with(t, r.Keys...).Codec().Decode([]*commonpb.Payload{r.proto()})
		var unknown *codec.UnknownKeyError
		assert.Equal(t, r.Error == "unknown-key", errors.As(err, &unknown), r.Name)
		assert.Equal(t, r.Error == "damaged", errors.Is(err, codec.ErrDamaged), r.Name)
	}
	require.NotEmpty(t, v.BadKeys)
	for name, text := range v.BadKeys {
		_, err := codec.ParseKeys(text)
		assert.Error(t, err, name)
	}
}

// seal replaces what this language has written.
func (v *vectors) seal(t *testing.T) {
	t.Helper()
	v.Sealed = slices.DeleteFunc(v.Sealed, func(s sealedPayload) bool { return s.MadeBy == "go" })
	for _, id := range []string{"old", "new"} {
		for _, p := range v.Payloads {
			made := encode(t, v.with(t, id), p.proto())[0]
			v.Sealed = append(v.Sealed, sealedPayload{"go", id, wirePayload{p.Name, made.GetMetadata(), made.GetData()}})
		}
	}
	v.refuse()
	raw, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(vectorsFile, append(raw, '\n'), 0o600))
}

// refuse spoils the first sealed payload of this language in every way.
func (v *vectors) refuse() {
	first := v.Sealed[slices.IndexFunc(v.Sealed, func(s sealedPayload) bool { return s.MadeBy == "go" && s.Key == "old" })]
	spoil := func(name, kind string, change func(*commonpb.Payload), ids ...string) {
		p := clone(first.proto())
		change(p)
		v.Refused = append(v.Refused, refused{wirePayload{name, p.GetMetadata(), p.GetData()}, ids, kind})
	}
	keep := func(*commonpb.Payload) {}
	v.Refused = nil
	spoil("key not at hand", "unknown-key", keep, "new")
	spoil("no key at hand", "unknown-key", keep)
	spoil("no key id", "unknown-key", func(p *commonpb.Payload) { delete(p.Metadata, codec.MetadataKeyID) }, "old")
	spoil("another key's id", "damaged", func(p *commonpb.Payload) { p.Metadata[codec.MetadataKeyID] = []byte("new") }, "old", "new")
	spoil("changed nonce", "damaged", func(p *commonpb.Payload) { p.Data[0] ^= 1 }, "old")
	spoil("changed data", "damaged", func(p *commonpb.Payload) { p.Data[14] ^= 1 }, "old")
	spoil("changed tag", "damaged", func(p *commonpb.Payload) { p.Data[len(p.Data)-1] ^= 1 }, "old")
	spoil("short tag", "damaged", func(p *commonpb.Payload) { p.Data = p.Data[:len(p.Data)-1] }, "old")
	spoil("only a nonce", "damaged", func(p *commonpb.Payload) { p.Data = p.Data[:12] }, "old")
	spoil("half a nonce", "damaged", func(p *commonpb.Payload) { p.Data = p.Data[:6] }, "old")
	spoil("nothing", "damaged", func(p *commonpb.Payload) { p.Data = nil }, "old")
}

// The layout in docs/guides/languages.md in so many words: what a fourth language is written from.
func TestTheLayoutOnThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/guides/languages.md")
	require.NoError(t, err)
	for _, name := range []string{codec.Encoding, codec.MetadataKeyID, converter.MetadataEncoding, strings.TrimPrefix(vectorsFile, "testdata/")} {
		assert.Contains(t, string(page), "`"+name+"`")
	}
}
