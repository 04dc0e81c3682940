package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
)

// The page's code for receivers without a library is another implementation of the specification than the one that signs.
func TestTheCallbackPagesNodeCodeVerifiesResults(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	node := skip.Program(t, "node", "nodejs")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "callbacks.md"))
	require.NoError(t, err)
	_, code, found := strings.Cut(string(page), "```js\n")
	require.True(t, found)
	code, _, _ = strings.Cut(code, "```")
	file := filepath.Join(t.TempDir(), "verify.mjs")
	const main = "import { readFileSync } from \"node:fs\";\n" +
		"const m = JSON.parse(readFileSync(0)); console.log(verify(Buffer.from(m.body, \"base64\"), m.headers));\n"
	require.NoError(t, os.WriteFile(file, []byte(code+main), 0o600))

	signup := newSignup(t, nil)
	s := start(t, options{resultURL: signup.URL})
	s.press(s.begin("u1").Session.URL, "approve")
	s.closed("u1")
	good := signup.got()[0]
	accepts := func(secret string, body []byte, header http.Header) bool {
		headers := map[string]string{}
		for k := range header {
			headers[strings.ToLower(k)] = header.Get(k)
		}
		in, err := json.Marshal(map[string]any{"body": body, "headers": headers})
		require.NoError(t, err)
		cmd := exec.CommandContext(s.within(timeout), node, file)
		cmd.Stdin, cmd.Env = bytes.NewReader(in), append(os.Environ(), "RESULT_SECRET="+secret)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out) == "true\n"
	}
	changed := func(name, value string) http.Header {
		h := good.header.Clone()
		h.Set(name, value)
		return h
	}
	require.True(t, accepts(resultSecret, good.body, good.header))
	require.True(t, accepts(nextResultSecret, good.body, good.header))
	require.False(t, accepts(foreignSecret, good.body, good.header))
	require.False(t, accepts(resultSecret, bytes.Replace(good.body, []byte("approved"), []byte("declined"), 1), good.header))
	require.False(t, accepts(resultSecret, good.body, changed("webhook-id", "another")))
	require.False(t, accepts(resultSecret, good.body, changed("webhook-timestamp", "1")))
	require.False(t, accepts(resultSecret, good.body, changed("webhook-signature", "v1,AAAA")))
}
