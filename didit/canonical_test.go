package didit

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCanonicalText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, want string }{
		"empty object":                 {` { } `, `{}`},
		"empty array":                  {"[\n]", `[]`},
		"scalars":                      {` [ null , true , false , "" , 0 ] `, `[null,true,false,"",0]`},
		"order by code point":          {`{"b":1,"a":2,"B":3,"é":4,"":5,"😀":6,"ﬀ":7}`, `{"":5,"B":3,"a":2,"b":1,"é":4,"ﬀ":7,"😀":6}`},
		"prefix first":                 {`{"ab":1,"a":2,"a\u0000":3}`, `{"a":2,"a\u0000":3,"ab":1}`},
		"order of what escapes mean":   {`{"\\":1,"Z":2,"\n":3,"\u0041":4}`, `{"\n":3,"A":4,"Z":2,"\\":1}`},
		"order within order":           {`{"b":{"y":1,"x":2},"a":[{"d":{},"c":{"n":0,"m":[]}}]}`, `{"a":[{"c":{"m":[],"n":0},"d":{}}],"b":{"x":2,"y":1}}`},
		"order within ordered":         {`{"a":{"c":[{"f":1,"e":2}],"d":3},"b":{"h":4,"g":5}}`, `{"a":{"c":[{"e":2,"f":1}],"d":3},"b":{"g":5,"h":4}}`},
		"siblings":                     {`[{"b":1,"a":2},{"a":3,"b":4},{"b":5,"a":6}]`, `[{"a":2,"b":1},{"a":3,"b":4},{"a":6,"b":5}]`},
		"arrays keep their order":      {`[3,1,2,["b","a"]]`, `[3,1,2,["b","a"]]`},
		"space inside strings stays":   {`{"a" : " x  y "}`, `{"a":" x  y "}`},
		"escapes that stay":            {`"\"\\\b\f\n\r\t\u0000\u001f"`, `"\"\\\b\f\n\r\t\u0000\u001f"`},
		"escapes that go":              {`"\/\u0041\u00e9\u20AC\ud83d\ude00\u2028\u007f<>&"`, "\"/Aé€😀\u2028\u007f<>&\""},
		"escapes that change":          {`"\u0022\u005c\u0008\u000C\u000a\u000D\u0009\u001F"`, `"\"\\\b\f\n\r\t\u001f"`},
		"integers stay":                {`[0,-1,9007199254740993,-123456789012345678901234567890]`, `[0,-1,9007199254740993,-123456789012345678901234567890]`},
		"zeros":                        {`[-0,0.0,-0.0,0e5,-0E-5,0e999999999,1e-999999999,-1e-400]`, `[0,0,0,0,0,0,0,0]`},
		"whole floats are integers":    {`[1.0,-2.00,1e2,1.2E+3,1500e-2,1e16,1e22,1e23]`, `[1,-2,100,1200,15,10000000000000000,10000000000000000000000,99999999999999991611392]`},
		"2^63 and around":              {`[9223372036854775807.0,-9223372036854775808.0,9.223372036854776e18,9223372036854774784.0]`, `[9223372036854775808,-9223372036854775808,9223372036854775808,9223372036854774784]`},
		"fractions":                    {`[2.50,0.1,-0.30,88.25,1e-1,123456789.125,4503599627370495.5,0.30000000000000004]`, `[2.5,0.1,-0.3,88.25,0.1,123456789.125,4503599627370495.5,0.30000000000000004]`},
		"small fractions":              {`[0.0001,0.00012,0.00009999,1e-5,1.5e-9,0.0000001,-1E-10,5e-324,2.2250738585072014e-308]`, `[0.0001,0.00012,9.999e-05,1e-05,1.5e-09,1e-07,-1e-10,5e-324,2.2250738585072014e-308]`},
		"more digits than a float has": {`[0.1000000000000000055511151231257827,3.14159265358979323846264338327950288,1.00000000000000000001]`, `[0.1,3.141592653589793,1]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := canonicalOf([]byte(tc.body))
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(text))
			again, err := canonicalOf(text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(again))
		})
	}
}

func TestLargestFloat(t *testing.T) {
	t.Parallel()
	exact, _ := big.NewFloat(math.MaxFloat64).Int(nil)
	for _, sign := range []string{"", "-"} {
		text, err := canonicalOf([]byte(sign + "1.7976931348623157e308"))
		require.NoError(t, err)
		assert.Equal(t, sign+exact.String(), string(text))
	}
}

func TestNumbersBeyondFloatHaveNoCanonicalText(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"1e309", "-1e309", "1.8e308", "1e999999999", "-1e99999999999999999999", strings.Repeat("9", 400) + ".0", "1E+400"} {
		raw, canonical := scans(`{"a":` + number + `}`)
		require.NoError(t, raw, "a signature of the bytes as they are does not depend on what numbers mean")
		require.ErrorIs(t, canonical, ErrMalformed)
	}
}

func TestLongNumbersAreFast(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("1234567890", 100_000)
	for body, want := range map[string]string{digits: digits, "-" + digits: "-" + digits, "0." + digits: "0.12345678901234568"} {
		text, err := canonicalOf([]byte(body))
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
}

// A body that is costlier than any of Didit's has no canonical text for an unknown sender, and a whole one for the signer. What was
// signed as it is needs none.
func TestCostlyBodiesExceedTheirBudget(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{"hard to read": "0.12345678901234567890e-300", "hard to write": "1e308", "order": `{"b":0,"a":0}`, "escapes": `"\n\n\n\n"`} {
		few, many := []byte(list(2_000, unit)), []byte(list(DefaultMaxBody, unit))
		text := func(body []byte, limit int) error {
			s := newScanner(body)
			defer s.release()
			_, err := s.canonicalText(limit)
			return err
		}
		require.NoError(t, text(few, math.MaxInt), name)
		require.NoError(t, text(many, math.MaxInt), name)
		require.ErrorContains(t, text(many, workLimit(len(many))), "more work", name)
		s := newScanner(many)
		require.NoError(t, s.scan(), name)
		s.release()
	}
}

// What Didit sends is far from the limit, and so is what a proxy makes of it.
func TestGenuineBodiesStayWithinTheirBudget(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2 << 10, 20 << 10, 100 << 10, DefaultMaxBody / 2} {
		wire := webhookBody(t, size)
		bodies := map[string][]byte{"as Didit writes it": wire}
		if size <= 100<<10 { // 190 hits with all keys in descending order: no proxy does that
			bodies["as a proxy writes it"] = rewritten(t, wire)
		}
		for name, body := range bodies {
			limit := workLimit(len(body))
			s := newScanner(body)
			_, err := s.canonicalText(limit)
			require.NoError(t, err, "%s, %d bytes", name, size)
			assert.Greater(t, s.canon.budget, limit/5, "%s, %d bytes", name, size)
			t.Logf("%-22s %7d bytes: %2d %% of the work it may take", name, len(body), 100-100*s.canon.budget/limit)
			s.release()
		}
	}
}

func TestCanonicalTextAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for range 3_000 {
		body := randomJSON(r, 3)
		want, err := referenceCanonical([]byte(body))
		require.NoError(t, err, "seed %d: %s", seed, body)
		text, err := canonicalOf([]byte(body))
		require.NoError(t, err, "seed %d: %s", seed, body)
		require.Equal(t, want, string(text), "seed %d: %s", seed, body)
	}
}

func TestFloatsAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range 30_000 {
		f := math.Float64frombits(r.Uint64())
		if r.IntN(2) == 0 {
			f = r.NormFloat64() * math.Pow10(r.IntN(40)-20)
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			continue
		}
		require.Equal(t, referenceFloat(f), string(appendPythonFloat(nil, f)), "%b", f)
	}
}

// list fills n bytes with an array of the unit.
func list(n int, unit string) string {
	return "[" + strings.Repeat(unit+",", (n-3)/(len(unit)+1)) + "0]"
}
