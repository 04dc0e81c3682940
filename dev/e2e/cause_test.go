package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/dev/skip"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// What an operator has left out is said by name, by the API and by the command line.
func TestErrorsNameWhatAnOperatorLeftOut(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	bare := bare(t, options{}) // without `starter setup`
	bare.Client = bare.dial()
	_, err := bare.Start(bare.within(timeout), kyc.Input{UserID: "u1"})
	assert.Contains(t, kyc.Cause(err), "run `starter setup` once", "%v", err)
	assert.True(t, kyc.OfTemporal(err))
	answer := serveAPI(bare).post(`{"user_id":"u1"}`)
	assert.Equal(t, http.StatusServiceUnavailable, answer.code)
	assert.Contains(t, answer.raw, "run `starter setup` once")

	elsewhere, err := kyc.Dial(t.Context(), client.Options{HostPort: bare.server.Address, Namespace: "nowhere"})
	if err == nil {
		defer elsewhere.Close()
		_, err = elsewhere.State(bare.within(timeout), "u1")
	}
	assert.Contains(t, kyc.Cause(err), `no namespace "nowhere"`, "%v", err)
}

// A process without the worker's key cannot read what is stored.
func TestAPayloadKeyThatIsMissingIsNamed(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	key, err := codec.Generate("k1")
	require.NoError(t, err)
	s := start(t, options{payloadKeys: key})
	s.begin("u1")
	s.keys = codec.Keys{}
	_, err = s.dial().State(s.within(timeout), "u1")
	assert.Contains(t, kyc.Cause(err), `lacks the payload key "k1"`, "%v", err)
	assert.Contains(t, kyc.Cause(err), "the worker's PAYLOAD_KEYS")
}
