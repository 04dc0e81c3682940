package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
	"didit-temporal/kyc/codec"
)

const operatorToken = "0123456789abcdef-of-an-operator"

func codecServer(changes map[string]string) (config.Codec, error) {
	vars := map[string]string{"CODEC_TOKENS": operatorToken}
	for k, v := range changes {
		vars[k] = v
	}
	return config.ForCodec(func(name string) string { return vars[name] })
}

func TestPayloadKeysOfEveryProcess(t *testing.T) {
	entry, err := codec.Generate("k1")
	require.NoError(t, err)
	_, value, _ := strings.Cut(entry, ":")
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte(entry+"\n"), 0o600))
	for _, set := range []map[string]string{{"PAYLOAD_KEYS": entry}, {"PAYLOAD_KEYS_FILE": path}} {
		w, err := config.ForWorker(from(set))
		require.NoError(t, err)
		h, err := config.ForWebhook(from(set))
		require.NoError(t, err)
		c, err := codecServer(set)
		require.NoError(t, err)
		k, err := config.PayloadKeys(from(set))
		require.NoError(t, err)
		for _, keys := range []codec.Keys{w.PayloadKeys, c.Keys, k} {
			assert.Equal(t, []string{"k1"}, keys.IDs())
		}
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", w, h, c), value)
	}
	w, err := config.ForWorker(from(nil))
	require.NoError(t, err)
	assert.True(t, w.PayloadKeys.Empty())
}

func TestMistakesInPayloadKeysAreReportedWithTheOthers(t *testing.T) {
	set := map[string]string{"PAYLOAD_KEYS": "hunter2,k1:aHVudGVyMg==", "LOG_LEVEL": "loud"}
	want := "PAYLOAD_KEYS entry 1 has no id: want id:key\nPAYLOAD_KEYS entry 2 is not 32 bytes in base64: make a key with `openssl rand -base64 32`"
	_, err := config.ForWorker(from(set))
	require.ErrorContains(t, err, want)
	assert.Len(t, strings.Split(err.Error(), "\n"), 3)
	_, err = config.ForWebhook(from(set))
	require.NotContains(t, err.Error(), "PAYLOAD_KEYS", "the webhook needs none")
	_, err = codecServer(set)
	require.ErrorContains(t, err, want)
	_, err = config.PayloadKeys(from(set))
	require.EqualError(t, err, want)
	_, err = config.PayloadKeys(from(map[string]string{"PAYLOAD_KEYS_FILE": "/no/such/file"}))
	require.EqualError(t, err, "PAYLOAD_KEYS cannot be read from the file that PAYLOAD_KEYS_FILE names: no such file or directory")
	_, err = config.PayloadKeys(from(map[string]string{"PAYLOAD_KEYS_FILE": "/no/such/file", "PAYLOAD_KEYS": "k1:x"}))
	require.EqualError(t, err, "PAYLOAD_KEYS and PAYLOAD_KEYS_FILE are both set: set one of them")
}

// What .env.example ships must not protect real data, whatever it is called.
func TestTheKeyOfTheExampleIsRefusedInLive(t *testing.T) {
	b, err := os.ReadFile(root + ".env.example")
	require.NoError(t, err)
	shipped := regexp.MustCompile(`(?m)^PAYLOAD_KEYS=(.*)$`).FindStringSubmatch(string(b))
	require.Len(t, shipped, 2)
	_, value, _ := strings.Cut(shipped[1], ":")
	for _, keys := range []string{shipped[1], "k1:" + value} {
		err := both(map[string]string{"PAYLOAD_KEYS": keys})
		require.ErrorContains(t, err, "PAYLOAD_KEYS has the public key of .env.example")
		_, err = codecServer(map[string]string{"PAYLOAD_KEYS": keys})
		require.ErrorContains(t, err, "PAYLOAD_KEYS has the public key of .env.example")
		require.NoError(t, both(map[string]string{"PAYLOAD_KEYS": keys, "DIDIT_ENVIRONMENT": "sandbox"}))
	}
}

func TestCodecServerSettings(t *testing.T) {
	c, err := codecServer(nil)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:8082", c.Addr)
	assert.Equal(t, []string{"http://127.0.0.1:8233", "http://localhost:8233"}, c.Origins)
	c, err = codecServer(map[string]string{"CODEC_ORIGINS": "https://Temporal.example:443, http://ui:80,https://temporal.example"})
	require.NoError(t, err)
	assert.Equal(t, []string{"http://ui", "https://temporal.example"}, c.Origins, "as browsers write them")
	for _, bad := range []string{"*", "https://*.example", "temporal.example", "https://temporal.example/", "https://temporal.example/ui", "https://a@b.example", "null", "https://", ",", "file:///x"} {
		_, err = codecServer(map[string]string{"CODEC_ORIGINS": bad})
		require.ErrorContains(t, err, "CODEC_ORIGINS=", bad)
	}
	_, err = codecServer(map[string]string{"CODEC_TOKENS": "simulator-hunter2-hunter2"})
	require.ErrorContains(t, err, "public secret")
	_, err = codecServer(map[string]string{"CODEC_TOKENS": ""})
	require.ErrorContains(t, err, "CODEC_TOKENS is not set")
}
