package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc/codec"
)

func TestCodecKeyPrintsOneThatIsTaken(t *testing.T) {
	for args, id := range map[string]string{"codec-key --id b2": "b2", "codec-key": "k" + time.Now().UTC().Format(time.DateOnly)} {
		var b bench
		require.NoError(t, b.line(t, args))
		keys, err := codec.ParseKeys(b.out.String())
		require.NoError(t, err)
		assert.Equal(t, []string{id}, keys.IDs())
		assert.Zero(t, b.dials)
	}
	var b bench
	require.ErrorContains(t, b.line(t, "codec-key --id a/b"), "the id of a key is not 1 to 32")
}

func TestCodecServerNamesWhatIsMissing(t *testing.T) {
	b := bench{environment: map[string]string{"PAYLOAD_KEYS": "hunter2", "CODEC_ORIGINS": "*"}}
	err := b.line(t, "codec-server")
	require.ErrorContains(t, err, "Invalid configuration")
	for _, want := range []string{"\nPAYLOAD_KEYS entry 1 has no id", "\nCODEC_TOKENS is not set", "\nCODEC_ORIGINS="} {
		assert.Contains(t, err.Error(), want)
	}
	assert.NotContains(t, err.Error(), "hunter2")
	assert.Equal(t, 4, strings.Count(err.Error(), "\n")+1)
}
