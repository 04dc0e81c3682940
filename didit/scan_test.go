package didit

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scans reports how both ways of reading a body judge it: as signed raw, and for its canonical text. They must agree
// except on numbers, which only canonical text has to understand.
func scans(body string) (raw, canonical error) {
	s := newScanner([]byte(body))
	defer s.release()
	_, canonical = canonicalOf([]byte(body))
	return s.scan(), canonical
}

func TestScannerIsStrict(t *testing.T) {
	t.Parallel()
	for name, bodies := range map[string][]string{
		"nothing":               {``, ` `, "\x00"},
		"trailing data":         {`{}{}`, `{} x`, `{},`, "{}\x00", `1 2`, `{}]`, `"a""b"`, "{}\ufeff"},
		"BOM":                   {"\ufeff{}"},
		"spaces of other kinds": {"\u00a0{}", "\v{}", "{\f}", "{}\u2028"},
		"commas":                {`[1,]`, `[,1]`, `[1 2]`, `[1,,2]`, `{,}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":1,,"b":2}`, `[,]`},
		"colons":                {`{"a"}`, `{"a" 1}`, `{"a"::1}`, `{"a":}`, `{"a",1}`, `{:1}`},
		"keys":                  {`{a:1}`, `{1:1}`, `{null:1}`, `{'a':1}`, `{[]:1}`, `{{}:1}`},
		"brackets":              {`{`, `[`, `}`, `]`, `{]`, `[}`, `{"a":1]`, `[1}`, `[[]`, `{"a":{}`, `{"a":[}`, `[{]}`},
		"words":                 {`nul`, `nulll`, `Null`, `tru`, `True`, `falsee`, `nan`, `Nan`, `NaNN`, `Infinite`, `+Infinity`, `-NaN`, `-infinity`, `undefined`, `n`, `[t]`, `{"a":fals}`},
		"comments":              {`{}//`, `/**/{}`, `{"a":1/**/}`, `#{}`},
		"numbers":               {`-`, `+1`, `01`, `-01`, `00`, `1.`, `.5`, `-.5`, `1.e5`, `1e`, `1e+`, `1E-`, `0x10`, `1_000`, `1.2.3`, `1e5.0`, `--1`, `1a`, `-a`, `½`, `１`},
		"strings":               {`"`, `"a`, `"\"`, `'a'`, `"a` + "\n" + `"`, `"` + "\x00" + `"`, `"` + "\x1f" + `"`, "\"aaaaaaaaaaaaaaaaaaa\t\""},
		"escapes":               {`"\`, `"\a"`, `"\'"`, `"\x41"`, `"\u"`, `"\u12"`, `"\u123g"`, `"\U0041"`, `"\u 041"`, `"\u+041"`, `"\u004"`, `"\`, `"\u{41}"`},
		"cut surrogates":        {`"\ud800\`, `"\ud800\u`, `"\ud8"`, `"\ud80\udc00"`, `"\ud800\u00g0"`},
		"not UTF-8":             {"\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "{\"\xe9\":1}", "{}\xff", "\xff"},
		"repeated keys": {
			`{"a":1,"a":1}`, `{"a":1,"b":2,"a":3}`, `{"b":1,"a":2,"b":3}`, `{"":1,"":2}`, `{"a":1,"\u0061":2}`, `{"\u0061":1,"a":2}`,
			`{"\u0061":1,"\u0061":2}`, `{"é":1,"\u00E9":2}`, `{"\n":1,"\u000a":2}`, `{"/":1,"\/":2}`, `{"😀":1,"\ud83d\ude00":2}`,
			`{"x":{"a":1,"a":2}}`, `[[{"x":[{"b":1,"a":{},"b":2}]}]]`, `{"a":{"b":1},"a":{"c":1}}`, `{"a":{"a":{"c":1,"a":2,"c":3}}}`,
			`{"z":1,"a":{"z":1,"a":2},"\u007a":2}`, `{"\ud800":1,"\uD800":2}`,
		},
	} {
		for _, body := range bodies {
			raw, canonical := scans(body)
			require.ErrorIs(t, raw, ErrMalformed, "%s: %q", name, body)
			require.ErrorIs(t, canonical, ErrMalformed, "%s: %q", name, body)
		}
	}
}

func TestScannerAcceptsAllOfJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `[]`, `null`, `true`, `false`, `""`, `0`, `-0`, `-0.0`, `10`, `1.5`, `1e5`, `1E+05`, `0e0`, `0.0e-0`, " \t\r\n{ } \n", `[ ]`, `[[],{},[[]]]`,
		`{"a":1,"A":2,"a ":3,"":4}`, `{"a":{"a":{"a":[{"a":1},{"a":1}]}}}`, `{"a":1,"\\u0061":2}`, `{"a":1,"a\u0000":2}`,
		`"\"\\\/\b\f\n\r\t\u0041\uD83D\uDE00\ud83d\ude00\uffff\uFFFD"`, "\"\u007f\u2028\ufeff\U0010ffff\"", `[1,"2",true,null,{"3":[]}]`, "{\"e\":1,\"\u00e9\":2,\"e\u0301\":3}",
	} {
		require.True(t, json.Valid([]byte(body)), body)
		raw, canonical := scans(body)
		require.NoError(t, raw, body)
		require.NoError(t, canonical, body)
	}
}

// Python's json writes these, and Didit signs what it writes. They have no canonical text: Python fails to write one in UTF-8.
func TestOnlyTheRawSignatureCoversWhatPythonAloneWrites(t *testing.T) {
	t.Parallel()
	v := verifierAt(t, hookTime, hookSecret)
	for _, value := range []string{
		`NaN`, `Infinity`, `-Infinity`, `[NaN,-Infinity]`, `"\ud800"`, `"\udc00"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800x\udc00"`, `"\ud83d\\ude00"`,
		`"\uD800\n"`, `{"\udfff":1}`, `{"\ud800":1,"\udc00":2,"\ud801":NaN}`, `{"\udc00":1,"\ud800":2}`,
	} {
		body := strings.Replace(hookBody, "{", `{"a":`+value+`,`, 1)
		raw, canonical := scans(body)
		require.NoError(t, raw, value)
		require.ErrorIs(t, canonical, ErrMalformed, value)
		event, err := v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, []byte(body))), []byte(body))
		require.NoError(t, err, value)
		require.Equal(t, "user-0001", event.VendorData)
	}
	for _, field := range []string{`"vendor_data":"\ud800"`, `"vendor_data":NaN`, `"timestamp":NaN`, `"timestamp":Infinity`, `"status":"A\udc00"`} {
		name, _, _ := strings.Cut(field, ":")
		body := `{"timestamp":1795000001,` + field + `}`
		if name == `"timestamp"` {
			body = `{` + field + `}`
		}
		_, err := v.Verify(hookHeader(HeaderSignature, Sign(hookSecret, []byte(body))), []byte(body))
		require.ErrorIs(t, err, ErrMalformed, "a field that is read: %s", field)
	}
}

func TestScannerFindsTheEndOfAStringAtEveryOffset(t *testing.T) {
	t.Parallel()
	for before := range 20 {
		for _, special := range []string{`\"`, `\\`, `\n`, "é", "\u0080", "😀", "\u007f", "!", "#", "[", "]"} {
			for after := range 20 {
				body := `["` + strings.Repeat("a", before) + special + strings.Repeat("z", after) + `",1]`
				raw, canonical := scans(body)
				require.NoError(t, raw, body)
				require.NoError(t, canonical, body)
			}
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	for _, brackets := range [][2]string{{`[`, `]`}, {`{"a":`, `}`}, {`[{"b":1,"a":`, `}]`}} {
		per := strings.Count(brackets[0], "[") + strings.Count(brackets[0], "{")
		nested := func(n int) string { return strings.Repeat(brackets[0], n) + "0" + strings.Repeat(brackets[1], n) }
		raw, canonical := scans(nested(maxDepth / per))
		require.NoError(t, raw)
		require.NoError(t, canonical)
		for _, n := range []int{maxDepth/per + 1, 100_000} {
			for _, body := range []string{nested(n), strings.Repeat(brackets[0], n)} {
				raw, canonical = scans(body)
				require.ErrorIs(t, raw, ErrMalformed)
				require.ErrorIs(t, canonical, ErrMalformed)
			}
		}
	}
	raw, _ := scans(`[` + strings.Repeat(`[],{"a":[]},`, 1000) + `0]`)
	require.NoError(t, raw, "siblings do not add to the depth")
}

func TestManyKeysAreNotQuadratic(t *testing.T) {
	t.Parallel()
	const n = 100_000
	for name, order := range map[string][]int{"ascending": ascending(n), "shuffled": rand.New(rand.NewPCG(1, 2)).Perm(n)} {
		var members strings.Builder
		for _, k := range order {
			fmt.Fprintf(&members, `"k%06d":0,`, k)
		}
		start := time.Now()
		raw, canonical := scans(`{` + members.String() + `"l":0}`)
		require.NoError(t, raw, name)
		require.NoError(t, canonical, name)
		raw, canonical = scans(`{` + members.String() + `"k012345":0}`)
		require.ErrorIs(t, raw, ErrMalformed, name)
		require.ErrorIs(t, canonical, ErrMalformed, name)
		assert.Less(t, time.Since(start), 10*time.Second, name)
	}
}

func ascending(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func TestNothingOfABodyStaysInThePool(t *testing.T) { // not parallel: no other test may take the buffers from the pool meanwhile
	s := newScanner([]byte(`{"vendor_data":"caf\u00e9", "b\u0062":1, "a":2.50}`))
	_, err := s.canonicalText(math.MaxInt)
	require.NoError(t, err)
	_, err = s.textFields()
	require.NoError(t, err)
	buffers := map[string][]byte{"out": s.canon.out, "final": s.canon.final, "keys": s.keys, "text": s.envelope.text}
	for name, buffer := range buffers {
		require.NotEmpty(t, buffer, name)
	}
	s.release()
	assert.Nil(t, s.src)
	for name, buffer := range buffers {
		assert.Equal(t, make([]byte, len(buffer)), buffer, name)
	}
}
