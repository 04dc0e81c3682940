package app

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc/codec"
)

func TestHowPayloadsAreStoredIsLogged(t *testing.T) {
	entry, err := codec.Generate("k1")
	require.NoError(t, err)
	for keys, want := range map[string]string{
		"":                       `level=WARN msg="payloads are stored in plain text: PAYLOAD_KEYS is not set`,
		codec.Demo:               `level=WARN msg="payloads are encrypted with the public key of .env.example" payload_keys=keys[demo]`,
		entry:                    `level=INFO msg="payloads are encrypted with the first of these keys" payload_keys=keys[k1]`,
		entry + "," + codec.Demo: `payload_keys="keys[k1 demo]"`,
	} {
		k, err := codec.ParseKeys(keys)
		require.NoError(t, err)
		var out bytes.Buffer
		notePayloadKeys(k, slog.New(slog.NewTextHandler(&out, nil)))
		assert.Contains(t, out.String(), want)
		assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")))
	}
}
