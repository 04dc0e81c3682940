package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

const (
	resultKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	anotherKey = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

func TestResultsGoSomewhere(t *testing.T) {
	for name, url := range map[string]string{
		"the internet":               "https://me:hunter2@shop.example/kyc/results?tenant=1",
		"this machine":               "http://127.0.0.1:9000/results",
		"another service of compose": "http://signup:9000/results/",
	} {
		t.Run(name, func(t *testing.T) {
			w, err := config.ForWorker(from(map[string]string{"RESULT_URL": url, "RESULT_SECRETS": resultKey + ", " + anotherKey}))
			require.NoError(t, err)
			assert.Equal(t, url, w.ResultURL.Reveal())
			require.Len(t, w.ResultSecrets, 2)
			assert.Equal(t, anotherKey, w.ResultSecrets[1].Reveal())
		})
	}
}

func TestResultsFromFiles(t *testing.T) {
	write := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(content+"\n"), 0o600))
		return path
	}
	w, err := config.ForWorker(from(map[string]string{
		"RESULT_URL_FILE": write("url", "https://shop.example/results"), "RESULT_SECRETS_FILE": write("keys", resultKey),
	}))
	require.NoError(t, err)
	assert.Equal(t, "https://shop.example/results", w.ResultURL.Reveal())
	assert.Len(t, w.ResultSecrets, 1)
}

func TestMistakesInResults(t *testing.T) {
	const url = "https://shop.example/results"
	for name, tc := range map[string]struct{ url, keys, wrong string }{
		"no key":                     {url, "", "RESULT_SECRETS is not set, but RESULT_URL is"},
		"blanks for an address":      {"  ", resultKey, "RESULT_SECRETS is set, but RESULT_URL is not"},
		"no address":                 {"", resultKey, "RESULT_SECRETS is set, but RESULT_URL is not"},
		"plain http to the internet": {"http://me:hunter2@shop.example/results", resultKey, "RESULT_URL is not https"},
		"no host":                    {"/hunter2", resultKey, "RESULT_URL is not an absolute URL"},
		"another scheme":             {"ftp://hunter2.example/", resultKey, "RESULT_URL is not an absolute URL"},
		"a fragment":                 {url + "#hunter2", resultKey, "RESULT_URL is not an absolute URL"},
		"a key without its prefix":   {url, strings.TrimPrefix(resultKey, "whsec_"), "RESULT_SECRETS has an entry that is no key at place 1"},
		"the second is not base64":   {url, resultKey + ",whsec_hunter2-hunter2-hunter2-hunter2!", "no key at place 2"},
		"a key that is short":        {url, "whsec_aHVudGVyMmh1bnRlcjI=", "no key at place 1"},
		"an empty entry":             {url, resultKey + ",", "RESULT_SECRETS has an empty entry at place 2"},
		"a placeholder":              {url, "whsec_changeme", "RESULT_SECRETS has a placeholder at place 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.ForWorker(from(map[string]string{"RESULT_URL": tc.url, "RESULT_SECRETS": tc.keys}))
			require.ErrorContains(t, err, tc.wrong)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), strings.TrimPrefix(resultKey, "whsec_"))
			assert.Len(t, strings.Split(err.Error(), "\n"), 1)
		})
	}
}
