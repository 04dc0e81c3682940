package codec_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc/codec"
)

func generated(tb testing.TB, id string) string {
	tb.Helper()
	entry, err := codec.Generate(id)
	require.NoError(tb, err)
	return entry
}

func keys(tb testing.TB, entries ...string) codec.Keys {
	tb.Helper()
	k, err := codec.ParseKeys(strings.Join(entries, ","))
	require.NoError(tb, err)
	return k
}

func TestKeysInTheOrderOfTheirEntries(t *testing.T) {
	k := keys(t, generated(t, "b.2"), " "+generated(t, "a_1")+"\n")
	assert.Equal(t, []string{"b.2", "a_1"}, k.IDs())
	assert.False(t, k.Empty())
	assert.False(t, k.Demo())
	for _, none := range []string{"", " \n"} {
		assert.True(t, keys(t, none).Empty())
	}
	assert.Empty(t, codec.Keys{}.IDs())
}

func TestTheDemoKeyIsKnownByItsValue(t *testing.T) {
	_, value, _ := strings.Cut(codec.Demo, ":")
	assert.True(t, keys(t, codec.Demo).Demo())
	assert.True(t, keys(t, generated(t, "mine"), "renamed:"+value).Demo())
	assert.False(t, keys(t, generated(t, "demo")).Demo(), "the name is not the key")
}

func TestMistakesInKeys(t *testing.T) {
	good := generated(t, "k1")
	_, value, _ := strings.Cut(good, ":")
	in64 := func(b []byte) string { return "k1:" + base64.StdEncoding.EncodeToString(b) }
	steps := make([]byte, 32)
	for i := range steps {
		steps[i] = byte(7 * i)
	}
	for name, tc := range map[string]struct{ text, want string }{
		"an extra comma":            {good + ",", "entry 2 is empty: remove the extra comma"},
		"a key without an id":       {value, "entry 1 has no id: want id:key"},
		"an empty id":               {":" + value, "entry 1 has an id that is not 1 to 32"},
		"an id with a space":        {"k 1:" + value, "entry 1 has an id that is not 1 to 32"},
		"an id of 33":               {strings.Repeat("k", 33) + ":" + value, "entry 1 has an id that is not 1 to 32"},
		"an id with a line break":   {"k\n1:" + value, "entry 1 has an id that is not 1 to 32"},
		"the key before the id":     {value + ":k1", "entry 1 has an id that is not 1 to 32"},
		"an id twice":               {good + "," + generated(t, "k1"), "entry 2 has the id of entry 1"},
		"a key twice":               {good + ",k2:" + value, "entry 2 is the same key as entry 1"},
		"31 bytes":                  {in64([]byte(value)[:31]), "entry 1 is not 32 bytes in base64"},
		"33 bytes":                  {in64([]byte(value)[:33]), "entry 1 is not 32 bytes in base64"},
		"hexadecimal":               {"k1:" + fmt.Sprintf("%x", steps), "entry 1 is not 32 bytes in base64"},
		"no padding":                {strings.TrimRight(good, "="), "entry 1 is not 32 bytes in base64"},
		"a placeholder":             {"k1:changeme", "entry 1 is not 32 bytes in base64"},
		"nothing but zeros":         {in64(make([]byte, 32)), "entry 1 is not random"},
		"few different bytes":       {in64(bytes.Repeat([]byte("0\xff1\xfe2\xfd3\xfc"), 4)), "entry 1 is not random"},
		"a sentence":                {in64([]byte("correct horse battery staple 42!")), "entry 1 is not random"},
		"hexadecimal, cut":          {in64([]byte("4f1c9b0d2e8a7365f0c1b2d3e4a59687")), "entry 1 is not random"},
		"bytes in equal steps":      {in64(steps), "entry 1 is not random"},
		"a semicolon between":       {good + ";" + generated(t, "k2"), "entry 1 is not 32 bytes in base64"},
		"two mistakes in one entry": {"k 1:" + value[:8], "is not 1 to 32 letters, digits, '.', '_' or '-'\nentry 1 is not 32"},
		"mistakes in two entries":   {"k1,k2", "entry 1 has no id: want id:key\nentry 2 has no id"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := codec.ParseKeys(tc.text)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), value[:6], "part of a key was printed")
			assert.True(t, k.Empty(), "half of the keys are none")
		})
	}
}

func TestGeneratedKeysAreTakenAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		entry := generated(t, "k")
		require.False(t, seen[entry])
		seen[entry] = true
		keys(t, entry)
	}
	_, err := codec.Generate("a key")
	require.ErrorContains(t, err, "the id of a key is not 1 to 32 letters")
}

func TestKeysAreNeverPrinted(t *testing.T) {
	type hidden struct{ k codec.Keys } // fmt cannot call methods on an unexported field
	type shown struct{ K codec.Keys }
	entry := generated(t, "k1")
	_, value, _ := strings.Cut(entry, ":")
	secret, err := base64.StdEncoding.DecodeString(value)
	require.NoError(t, err)
	k := keys(t, entry)

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+" "+verb+"\n", k, &k, hidden{k}, shown{k})
	}
	require.NoError(t, json.NewEncoder(&out).Encode([]any{k, shown{k}, hidden{k}}))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("started", "keys", k, "all", shown{k})
	slog.New(slog.NewTextHandler(&out, nil)).Info("started", "keys", k, "all", shown{k})
	for _, form := range []string{value, string(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]any{secret}), fmt.Sprintf("%#v", secret)} {
		assert.NotContains(t, out.String(), form)
	}
	assert.Contains(t, out.String(), "keys[k1]")
}
