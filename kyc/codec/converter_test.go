package codec_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/kyc/codec"
)

func options(k codec.Keys) client.Options {
	var o client.Options
	k.Apply(&o)
	return o
}

func TestFailuresAreUnreadable(t *testing.T) {
	k := keys(t, generated(t, "k1"))
	o := options(k)
	cause := temporal.NewApplicationError(marker+" inside", "DiditUnavailable")
	failure := o.FailureConverter.ErrorToFailure(temporal.NewApplicationErrorWithCause(marker, "DiditRejected", cause, marker))
	wire, err := failure.Marshal()
	require.NoError(t, err)
	assert.NotContains(t, string(wire), marker)
	assert.Equal(t, "DiditRejected", failure.GetApplicationFailureInfo().GetType(), "an operator sees what kind it is")

	var got *temporal.ApplicationError
	require.ErrorAs(t, o.FailureConverter.FailureToError(failure), &got)
	assert.Equal(t, marker, got.Message())
	assert.Equal(t, "DiditRejected", got.Type())
	var details string
	require.NoError(t, got.Details(&details))
	assert.Equal(t, marker, details)
	require.ErrorAs(t, got.Unwrap(), &got)
	assert.Equal(t, marker+" inside", got.Message())
}

func TestFailuresWithoutTheKeyKeepTheirType(t *testing.T) {
	sealed := options(keys(t, generated(t, "k1")))
	failure := sealed.FailureConverter.ErrorToFailure(temporal.NewApplicationError(marker, "DiditRejected"))
	var got *temporal.ApplicationError
	require.ErrorAs(t, options(codec.Keys{}).FailureConverter.FailureToError(failure), &got)
	assert.Equal(t, "DiditRejected", got.Type())
	assert.Equal(t, "Encoded failure", got.Message())
}

func TestWithoutKeysNothingChanges(t *testing.T) {
	o := options(codec.Keys{})
	p, err := o.DataConverter.ToPayload(marker)
	require.NoError(t, err)
	assert.Equal(t, `"`+marker+`"`, string(p.GetData()))
	failure := o.FailureConverter.ErrorToFailure(errors.New(marker))
	assert.Equal(t, marker, failure.GetMessage())
	assert.Nil(t, failure.GetEncodedAttributes())
}

// A signal that the SDK takes for a broken one is dropped, a workflow with a broken input ends: so a worker that lacks
// the key must stop the task instead. What is really broken stays an error.
func TestInWorkflowsALostKeyStopsTheTask(t *testing.T) {
	sealed, err := options(keys(t, generated(t, "a"))).DataConverter.ToPayloads(marker)
	require.NoError(t, err)
	for name, k := range map[string]codec.Keys{
		"no key":           {},
		"another key":      keys(t, generated(t, "b")),
		"the same id only": keys(t, generated(t, "a")),
	} {
		t.Run(name, func(t *testing.T) {
			dc := options(k).DataConverter
			var to string
			require.Error(t, dc.FromPayloads(sealed, &to), "a client and an activity get an error")
			inActivity := dc.(workflow.ContextAware).WithContext(t.Context())
			require.Error(t, inActivity.FromPayload(sealed.Payloads[0], &to))

			inWorkflow := dc.(workflow.ContextAware).WithWorkflowContext(nil)
			assert.Panics(t, func() { _ = inWorkflow.FromPayload(sealed.Payloads[0], &to) })
			assert.Panics(t, func() { _ = inWorkflow.FromPayloads(sealed, &to) })

			wrong, err := converter.GetDefaultDataConverter().ToPayload("text")
			require.NoError(t, err)
			var number int
			assert.NotPanics(t, func() { require.Error(t, inWorkflow.FromPayload(wrong, &number)) })
		})
	}
}

func TestApplyKeepsTheConverterOfTheCaller(t *testing.T) {
	k := keys(t, generated(t, "k1"))
	o := client.Options{DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), converter.NewZlibCodec(converter.ZlibCodecOptions{AlwaysEncode: true}))}
	k.Apply(&o)
	p, err := o.DataConverter.ToPayload(marker)
	require.NoError(t, err)
	assert.Equal(t, codec.Encoding, string(p.Metadata[converter.MetadataEncoding]))
	inner, err := k.Codec().Decode([]*commonpb.Payload{p})
	require.NoError(t, err)
	assert.Equal(t, "binary/zlib", string(inner[0].Metadata[converter.MetadataEncoding]))
	var got string
	require.NoError(t, o.DataConverter.FromPayload(p, &got))
	assert.Equal(t, marker, got)

	k.Apply(&o)
	p, err = o.DataConverter.ToPayload(marker)
	require.NoError(t, err)
	require.NoError(t, o.DataConverter.FromPayload(p, &got), "applied twice")
}
