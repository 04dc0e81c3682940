package diditsim

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWireJSON(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"keys are sorted and spaces gone":       {`{"b": 1, "a": [ {"d":2,"c":3} , null, true ]}`, `{"a":[{"c":3,"d":2},null,true],"b":1}`},
		"arrays keep their order":               {`[3,1,2]`, `[3,1,2]`},
		"letters beyond ASCII":                  {`"é 日 😀"`, `"\u00e9 \u65e5 \ud83d\ude00"`},
		"keys beyond ASCII":                     {`{"é":1}`, `{"\u00e9":1}`},
		"HTML is left alone":                    {`"<a href='x'>&</a>"`, `"<a href='x'>&</a>"`},
		"control characters, DEL and U+2028":    {`"\b\f\n\r\t\u0000\u001f\u007f\u2028\u00a0"`, `"\b\f\n\r\t\u0000\u001f\u007f\u2028\u00a0"`},
		"quotes, backslashes and slashes":       {`"\"\\\/"`, `"\"\\/"`},
		"whole floats":                          {`[95.0,1.0e2,-0.0,0.0]`, `[95,100,0,0]`},
		"other floats":                          {`[88.25,1.10,-0.5,0.0001]`, `[88.25,1.1,-0.5,0.0001]`},
		"integers stay exact":                   {`[9007199254740993,-1,18446744073709551616]`, `[9007199254740993,-1,18446744073709551616]`},
		"what Python and Go write otherwise":    {`[1e-05,1e+21]`, `[1e-05,1e+21]`},
		"floats deep inside an object of lists": {`{"a":[{"b":[1.0]}]}`, `{"a":[{"b":[1]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := wireJSON(map[string]any{"v": json.RawMessage(tc.in)})
			require.NoError(t, err)
			assert.Equal(t, `{"v":`+tc.want+`}`, string(got))
		})
	}
	t.Run("what is no JSON is an error", func(t *testing.T) {
		_, err := wireJSON(json.RawMessage(`{`))
		assert.Error(t, err)
	})
}
