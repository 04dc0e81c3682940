package diditsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
)

// wireJSON writes v as Didit's Python does (https://docs.didit.me/integration/webhooks): keys sorted, no spaces, whole
// floats as integers, everything but printable ASCII escaped. The raw signature is made over exactly these bytes.
func wireJSON(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(shortenFloats(tree)); err != nil {
		return nil, err
	}
	return escape(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// shortenFloats turns 95.0 into 95, at any depth. Numbers that Python and Go write differently stay as they came.
func shortenFloats(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = shortenFloats(v[k])
		}
	case []any:
		for i := range v {
			v[i] = shortenFloats(v[i])
		}
	case json.Number:
		f, err := v.Float64()
		size := math.Abs(f)
		switch {
		case !strings.ContainsAny(v.String(), ".eE") || err != nil || size >= 1e15:
		case f == math.Trunc(f):
			return int64(f)
		case size >= 1e-4:
			return f
		}
	}
	return v
}

// escape writes all but printable ASCII as \uXXXX. It can stand only within a string.
func escape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		if r < 0x7f {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}
