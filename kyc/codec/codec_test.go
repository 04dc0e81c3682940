package codec_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/kyc/codec"
)

// marker is what no encrypted payload may contain.
const marker = "MARKER-https://verify.didit.me/session/s3cret"

func plain(data string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/plain")}, Data: []byte(data)}
}

func encode(tb testing.TB, k codec.Keys, in ...*commonpb.Payload) []*commonpb.Payload {
	tb.Helper()
	out, err := k.Codec().Encode(in)
	require.NoError(tb, err)
	require.Len(tb, out, len(in))
	return out
}

func same(t *testing.T, want, got *commonpb.Payload) {
	t.Helper()
	assert.True(t, want.Equal(got), "want %v, got %v", want, got)
}

func clone(p *commonpb.Payload) *commonpb.Payload {
	c := &commonpb.Payload{Data: bytes.Clone(p.Data), Metadata: map[string][]byte{}}
	for k, v := range p.Metadata {
		c.Metadata[k] = bytes.Clone(v)
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	k := keys(t, generated(t, "k1"))
	for name, p := range map[string]*commonpb.Payload{
		"json":                 plain(`{"url":"` + marker + `"}`),
		"nil":                  {Metadata: map[string][]byte{converter.MetadataEncoding: []byte("binary/null")}},
		"bytes":                {Metadata: map[string][]byte{converter.MetadataEncoding: []byte("binary/plain")}, Data: []byte{0, 255, 0}},
		"protobuf in json":     {Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/protobuf"), "messageType": []byte("a.B")}, Data: []byte(`{}`)},
		"metadata of a secret": {Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/plain"), "note": []byte(marker)}, Data: []byte(`1`)},
		"no metadata":          {Data: []byte(marker)},
		"nothing at all":       {},
		"two megabytes":        plain(strings.Repeat("x", 2<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			before := clone(p)
			sealed := encode(t, k, p, p)
			same(t, before, p)
			for _, one := range sealed {
				wire, err := one.Marshal()
				require.NoError(t, err)
				assert.NotContains(t, string(wire), marker)
				assert.Equal(t, map[string][]byte{converter.MetadataEncoding: []byte(codec.Encoding), codec.MetadataKeyID: []byte("k1")}, one.Metadata)
			}
			assert.NotEqual(t, sealed[0].Data, sealed[1].Data, "equal payloads must not look equal")
			kept := clone(sealed[0])
			opened, err := k.Codec().Decode(sealed)
			require.NoError(t, err)
			same(t, p, opened[0])
			same(t, p, opened[1])
			same(t, kept, sealed[0])
		})
	}
}

func TestRotation(t *testing.T) {
	a, b := generated(t, "a"), generated(t, "b")
	old := encode(t, keys(t, a), plain(marker))[0]

	opened, err := keys(t, b, a).Codec().Decode([]*commonpb.Payload{old})
	require.NoError(t, err)
	same(t, plain(marker), opened[0])

	fresh := encode(t, keys(t, b, a), plain(marker))[0]
	assert.Equal(t, "b", string(fresh.Metadata[codec.MetadataKeyID]), "the first key encrypts")
	opened, err = keys(t, a, b).Codec().Decode([]*commonpb.Payload{fresh, old, plain("1")})
	require.NoError(t, err, "a process that was restarted before the others reads the new key")
	same(t, plain(marker), opened[0])
	same(t, plain(marker), opened[1])
	same(t, plain("1"), opened[2])

	_, err = keys(t, b).Codec().Decode([]*commonpb.Payload{old})
	var unknown *codec.UnknownKeyError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "a", unknown.ID)
	assert.EqualError(t, err, `the payload is encrypted with key "a", and only b at hand: see PAYLOAD_KEYS`)
	_, err = codec.Keys{}.Codec().Decode([]*commonpb.Payload{old})
	require.EqualError(t, err, `the payload is encrypted with key "a", and no key is at hand: see PAYLOAD_KEYS`)
}

func TestPlainPayloadsPass(t *testing.T) {
	theirs := &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte("binary/encrypted")}, Data: []byte("?")}
	in := []*commonpb.Payload{plain("1"), theirs, {}}
	for name, k := range map[string]codec.Keys{"without keys": {}, "with a key": keys(t, generated(t, "k1"))} {
		got, err := k.Codec().Decode(in)
		require.NoError(t, err, name)
		for i := range in {
			same(t, in[i], got[i])
		}
	}
	same(t, plain("1"), encode(t, codec.Keys{}, plain("1"))[0])
}

func TestNothingIsEncryptedTwice(t *testing.T) {
	a, b := keys(t, generated(t, "a")), keys(t, generated(t, "b"))
	once := encode(t, a, plain(marker))
	same(t, once[0], encode(t, a, once...)[0])
	same(t, once[0], encode(t, b, once...)[0])
}

func TestEveryKeysReadsTheDemoKey(t *testing.T) {
	sealed := encode(t, keys(t, codec.Demo), plain(marker))
	for _, k := range []codec.Keys{{}, keys(t, generated(t, "k1"))} {
		opened, err := k.Codec().Decode(sealed)
		require.NoError(t, err)
		same(t, plain(marker), opened[0])
	}
}

func TestEveryChangedByteIsFound(t *testing.T) {
	k := keys(t, generated(t, "k1"))
	sealed := encode(t, k, plain(marker))[0]
	for i := range sealed.Data {
		for _, flip := range []byte{1, 0x80, 0xff} {
			changed := clone(sealed)
			changed.Data[i] ^= flip
			_, err := k.Codec().Decode([]*commonpb.Payload{changed})
			require.ErrorIs(t, err, codec.ErrDamaged, "byte %d", i)
		}
	}
	for n := range sealed.Data {
		_, err := k.Codec().Decode([]*commonpb.Payload{{Metadata: sealed.Metadata, Data: sealed.Data[:n]}})
		require.ErrorIs(t, err, codec.ErrDamaged, "cut to %d bytes", n)
	}
	_, err := k.Codec().Decode([]*commonpb.Payload{{Metadata: sealed.Metadata, Data: append(bytes.Clone(sealed.Data), 0)}})
	require.ErrorIs(t, err, codec.ErrDamaged, "a byte more")
}

func TestSwappedMetadataIsFound(t *testing.T) {
	_, value, _ := strings.Cut(generated(t, "k1"), ":")
	mine := keys(t, "k1:"+value)
	sealed := encode(t, mine, plain(marker))[0]
	with := func(change func(map[string][]byte)) *commonpb.Payload {
		p := clone(sealed)
		change(p.Metadata)
		return p
	}
	renamed := with(func(m map[string][]byte) { m[codec.MetadataKeyID] = []byte("k2") })
	_, err := keys(t, "k2:"+value).Codec().Decode([]*commonpb.Payload{renamed})
	require.ErrorIs(t, err, codec.ErrDamaged, "the same key under another id")
	_, err = keys(t, generated(t, "k1")).Codec().Decode([]*commonpb.Payload{sealed})
	require.ErrorIs(t, err, codec.ErrDamaged, "another key under the same id")
	require.ErrorContains(t, err, `key "k1"`)

	nameless := with(func(m map[string][]byte) { delete(m, codec.MetadataKeyID) })
	_, err = mine.Codec().Decode([]*commonpb.Payload{nameless})
	require.ErrorIs(t, err, codec.ErrDamaged, "no key id")
	shouting := with(func(m map[string][]byte) { m[codec.MetadataKeyID] = bytes.Repeat([]byte("\n"), 1<<20) })
	_, err = mine.Codec().Decode([]*commonpb.Payload{shouting})
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 300, "an error has a bound, whatever its cause")

	other := with(func(m map[string][]byte) { m[converter.MetadataEncoding] = []byte("json/plain") })
	opened, err := mine.Codec().Decode([]*commonpb.Payload{other})
	require.NoError(t, err)
	assert.NotContains(t, string(opened[0].Data), marker, "a payload that was made to look plain stays unreadable")
	noted := with(func(m map[string][]byte) { m["note"] = []byte("added") })
	opened, err = mine.Codec().Decode([]*commonpb.Payload{noted})
	require.NoError(t, err)
	same(t, plain(marker), opened[0])
}

func TestManyAtOnce(t *testing.T) {
	c := keys(t, generated(t, "k1")).Codec()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				sealed, err := c.Encode([]*commonpb.Payload{plain(marker)})
				if !assert.NoError(t, err) {
					return
				}
				opened, err := c.Decode(sealed)
				if !assert.NoError(t, err) || !assert.Equal(t, marker, string(opened[0].Data)) {
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	k := keys(f, generated(f, "k1"))
	sealed := encode(f, k, plain(marker))[0]
	f.Add([]byte(codec.Encoding), []byte("k1"), sealed.Data)
	f.Add([]byte(codec.Encoding), []byte("demo"), sealed.Data)
	f.Add([]byte(codec.Encoding), []byte(nil), []byte(nil))
	f.Add([]byte("json/plain"), []byte("k1"), []byte("{}"))
	f.Fuzz(func(t *testing.T, encoding, id, data []byte) {
		p := &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: encoding, codec.MetadataKeyID: id}, Data: data}
		before := clone(p)
		got, err := k.Codec().Decode([]*commonpb.Payload{p})
		if !before.Equal(p) {
			t.Fatal("the payload was changed")
		}
		switch {
		case string(encoding) != codec.Encoding:
			if err != nil || !p.Equal(got[0]) {
				t.Fatalf("what is not ours: %v, %v", got, err)
			}
		case err == nil && string(got[0].Data) != marker:
			t.Fatalf("decrypted what was not encrypted: %v", got)
		}
	})
}

func kilobyte() *commonpb.Payload { return plain(strings.Repeat("x", 1<<10)) }

func benchmark(b *testing.B, run func() error) {
	b.Helper()
	b.SetBytes(1 << 10)
	b.ReportAllocs()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode1KB(b *testing.B) {
	k, in := keys(b, generated(b, "k1")), []*commonpb.Payload{kilobyte()}
	benchmark(b, func() error { _, err := k.Codec().Encode(in); return err })
	b.ReportMetric(float64(encode(b, k, in...)[0].Size()-in[0].Size()), "overhead-B")
}

func BenchmarkDecode1KB(b *testing.B) {
	k := keys(b, generated(b, "k1"))
	sealed := encode(b, k, kilobyte())
	benchmark(b, func() error { _, err := k.Codec().Decode(sealed); return err })
}

func of(dc converter.DataConverter, workflow string) converter.DataConverter {
	return converter.WithDataConverterSerializationContext(dc, converter.WorkflowSerializationContext{Namespace: "default", WorkflowID: workflow})
}

func TestAPayloadBelongsToItsWorkflow(t *testing.T) {
	k := keys(t, generated(t, "k1"))
	anywhere := options(k).DataConverter
	ada, bob := of(anywhere, "kyc-ada"), of(anywhere, "kyc-bob")
	activity := converter.WithDataConverterSerializationContext(anywhere, converter.ActivitySerializationContext{WorkflowID: "kyc-ada"})
	sealed, err := ada.ToPayload(marker)
	require.NoError(t, err)

	var got string
	require.ErrorIs(t, bob.FromPayload(sealed, &got), codec.ErrDamaged)
	for name, reader := range map[string]converter.DataConverter{"the workflow": ada, "its activity": activity, "the codec server": anywhere} {
		got = ""
		require.NoError(t, reader.FromPayload(sealed, &got), name)
		assert.Equal(t, marker, got, name)
	}
	opened, err := k.Codec().Decode([]*commonpb.Payload{sealed})
	require.NoError(t, err)
	same(t, plain(`"`+marker+`"`), opened[0])

	unbound, err := anywhere.ToPayload(marker)
	require.NoError(t, err)
	require.NoError(t, bob.FromPayload(unbound, &got), "the codec server encrypts for any workflow")
}

func TestAFailureBelongsToItsWorkflow(t *testing.T) {
	anywhere := options(keys(t, generated(t, "k1"))).FailureConverter
	at := func(workflow string) converter.FailureConverter {
		return converter.WithFailureConverterSerializationContext(anywhere, converter.WorkflowSerializationContext{WorkflowID: workflow})
	}
	failure := at("kyc-ada").ErrorToFailure(temporal.NewApplicationError(marker, "DiditRejected"))
	assert.NotContains(t, at("kyc-bob").FailureToError(failure).Error(), marker)
	assert.Contains(t, at("kyc-ada").FailureToError(failure).Error(), marker)
}
