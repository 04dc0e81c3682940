// Package codec encrypts what Temporal stores: inputs, results, signals, updates, queries, summaries, and the messages
// and stack traces of failures. Ids, search attributes, names of types and the types of errors stay readable.
//
//	keys, err := codec.ParseKeys(os.Getenv("PAYLOAD_KEYS"))
//	keys.Apply(&options)
//	c, err := kyc.Dial(ctx, options)
package codec

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// What an encrypted payload carries beside its data. The encoding names the format: AES-256-GCM over the payload in
// protobuf, with the nonce of 12 bytes before and the tag of 16 behind it.
const (
	Encoding      = "binary/kyc-aes256gcm"
	MetadataKeyID = "key-id"
)

// metadataWorkflow is inside the encryption: the first 16 bytes of the SHA-256 of the id of the workflow that a payload was
// encrypted for.
const metadataWorkflow = "kyc-workflow"

// UnknownKeyError says that a payload is encrypted with a key that is not at hand.
type UnknownKeyError struct {
	ID   string
	Have []string
}

func (e *UnknownKeyError) Error() string {
	have := "no key is"
	if len(e.Have) > 0 {
		have = "only " + strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("the payload is encrypted with key %q, and %s at hand: see PAYLOAD_KEYS", e.ID, have)
}

// ErrDamaged says that a payload does not decrypt with the key that it names, or was encrypted for another workflow.
var ErrDamaged = errors.New("the encrypted payload was changed, made with another key of the same id, or moved from another workflow")

// Codec encrypts payloads one by one. NewCodecDataConverter of the SDK takes it; Apply does that and more.
//
// Where the SDK says which workflow a payload belongs to, the payload is bound to that workflow's id: nobody can move one
// user's payload into another user's history. One that was encrypted elsewhere, such as by the codec server, is not bound.
func (k Keys) Codec() converter.PayloadCodec { return &payloads{keys: k} }

// payloads is used by pointer, since the SDK compares codecs.
type payloads struct {
	keys     Keys
	workflow []byte // nil where it is not known
}

// WithSerializationContext implements converter.PayloadCodecWithSerializationContext.
func (c *payloads) WithSerializationContext(in converter.SerializationContext) converter.PayloadCodec {
	id := ""
	switch in := in.(type) {
	case converter.WorkflowSerializationContext:
		id = in.WorkflowID
	case converter.ActivitySerializationContext:
		id = in.WorkflowID
	}
	if id == "" || c.keys.Empty() {
		return c
	}
	sum := sha256.Sum256([]byte(id))
	return &payloads{c.keys, sum[:16]}
}

// Encode implements converter.PayloadCodec. What is encrypted already, with whatever key, is left as it is.
func (c *payloads) Encode(in []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if c.keys.Empty() {
		return in, nil
	}
	return each(in, c.encrypt)
}

// Decode implements converter.PayloadCodec. It leaves a payload that is not ours unchanged: one from before there were keys, or
// from a program without keys.
func (c *payloads) Decode(in []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(in, c.decrypt)
}

// bind returns a copy that names the workflow.
func (c *payloads) bind(p *commonpb.Payload) *commonpb.Payload {
	if c.workflow == nil {
		return p
	}
	metadata := maps.Clone(p.GetMetadata())
	if metadata == nil {
		metadata = map[string][]byte{}
	}
	metadata[metadataWorkflow] = c.workflow
	return &commonpb.Payload{Metadata: metadata, Data: p.GetData(), ExternalPayloads: p.GetExternalPayloads()}
}

// release removes the workflow from a payload, which must be the one at hand where both are known.
func (c *payloads) release(p *commonpb.Payload) error {
	made, bound := p.GetMetadata()[metadataWorkflow]
	if bound && c.workflow != nil && !bytes.Equal(made, c.workflow) {
		return fmt.Errorf("it belongs to another workflow: %w", ErrDamaged)
	}
	delete(p.GetMetadata(), metadataWorkflow)
	return nil
}

func encrypted(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[converter.MetadataEncoding]) == Encoding
}

func (c *payloads) encrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	if encrypted(p) {
		return p, nil
	}
	with := c.keys.all()[0]
	plain, err := c.bind(p).Marshal()
	if err != nil {
		return nil, fmt.Errorf("write the payload to encrypt: %w", err)
	}
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(Encoding), MetadataKeyID: []byte(with.id)},
		Data:     with.aead.Seal(nil, nil, plain, bound(with.id)), //nolint:gosec // it makes a random nonce itself, each time
	}, nil
}

func (c *payloads) decrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	if !encrypted(p) {
		return p, nil
	}
	id := string(p.GetMetadata()[MetadataKeyID])
	if !idPattern.MatchString(id) { // no key has such an id
		return nil, fmt.Errorf("without a key id: %w", ErrDamaged)
	}
	with, known := c.keys.find(id)
	if !known {
		return nil, &UnknownKeyError{ID: id, Have: c.keys.IDs()}
	}
	plain, err := with.aead.Open(nil, nil, p.GetData(), bound(id))
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", id, ErrDamaged)
	}
	inner := new(commonpb.Payload)
	if err := inner.Unmarshal(plain); err != nil { // the tag was right: only another version of us writes such a thing
		return nil, fmt.Errorf("key %q: read the decrypted payload: %w", id, ErrDamaged)
	}
	if err := c.release(inner); err != nil {
		return nil, fmt.Errorf("key %q: %w", id, err)
	}
	return inner, nil
}

// bound is what is authenticated with the data: a payload cannot be passed off as one of another key or format.
func bound(id string) []byte { return []byte(Encoding + "\x00" + id) }

// each never changes a payload that it was given, as the SDK asks.
func each(in []*commonpb.Payload, change func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(in))
	for i, p := range in {
		changed, err := change(p)
		if err != nil {
			return nil, err
		}
		out[i] = changed
	}
	return out, nil
}
