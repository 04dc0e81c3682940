package didit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// referenceCanonical is canonicalText again, written to be obvious rather than fast and on top of encoding/json.
func referenceCanonical(body []byte) (string, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return "", errors.New("not valid")
	}
	if hasLoneSurrogate(body) {
		return "", errors.New("lone surrogate")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return referenceValue(decoder, 0)
}

func referenceValue(decoder *json.Decoder, depth int) (string, error) {
	token, err := decoder.Token()
	if err != nil {
		return "", err
	}
	switch token := token.(type) {
	case nil:
		return "null", nil
	case bool:
		return strconv.FormatBool(token), nil
	case string:
		return referenceString(token), nil
	case json.Number:
		return referenceNumber(token.String())
	case json.Delim:
		if depth++; depth > maxDepth {
			return "", errors.New("too deep")
		}
		if token == '[' {
			return referenceArray(decoder, depth)
		}
		return referenceObject(decoder, depth)
	}
	return "", fmt.Errorf("token %T", token)
}

func referenceArray(decoder *json.Decoder, depth int) (string, error) {
	var items []string
	for decoder.More() {
		item, err := referenceValue(decoder, depth)
		if err != nil {
			return "", err
		}
		items = append(items, item)
	}
	_, err := decoder.Token()
	return "[" + strings.Join(items, ",") + "]", err
}

func referenceObject(decoder *json.Decoder, depth int) (string, error) {
	values := map[string]string{}
	var keys []string
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return "", err
		}
		key := token.(string)
		if slices.Contains(keys, key) {
			return "", errors.New("repeated key")
		}
		keys = append(keys, key)
		if values[key], err = referenceValue(decoder, depth); err != nil {
			return "", err
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return slices.CompareFunc([]rune(a), []rune(b), cmp.Compare[rune]) })
	members := make([]string, len(keys))
	for i, key := range keys {
		members[i] = referenceString(key) + ":" + values[key]
	}
	_, err := decoder.Token()
	return "{" + strings.Join(members, ",") + "}", err
}

func referenceString(text string) string { return `"` + referenceEscapes.Replace(text) + `"` }

// A Replacer tries its pairs in their order, so the short forms win.
var referenceEscapes = func() *strings.Replacer {
	pairs := []string{`"`, `\"`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`}
	for c := range rune(' ') {
		pairs = append(pairs, string(c), fmt.Sprintf(`\u%04x`, c))
	}
	return strings.NewReplacer(pairs...)
}()

func referenceNumber(literal string) (string, error) {
	if !strings.ContainsAny(literal, ".eE") {
		if strings.Trim(literal, "-0") == "" {
			return "0", nil
		}
		return literal, nil
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return "", err
	}
	return referenceFloat(f), nil
}

// referenceFloat follows float_repr_style "short" in CPython's Python/pystrtod.c: digits first, then the point.
func referenceFloat(f float64) string {
	if whole, accuracy := big.NewFloat(f).Int(nil); accuracy == big.Exact {
		return whole.String()
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	power, _ := strconv.Atoi(exponent)
	sign := ""
	if f < 0 {
		sign = "-"
	}
	switch point := power + 1; {
	case point <= -4 || point > 16:
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		return fmt.Sprintf("%s%se%+03d", sign, digits, power)
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	default:
		return sign + digits[:point] + "." + digits[point:]
	}
}

var anyEscape = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)

// hasLoneSurrogate expects valid JSON. A surrogate pair is two escapes that touch.
func hasLoneSurrogate(body []byte) bool {
	highEnd := -1 // where the last escape ended, if it was a high surrogate
	for _, at := range anyEscape.FindAllIndex(body, -1) {
		unit := uint64(0)
		if at[1]-at[0] == 6 {
			unit, _ = strconv.ParseUint(string(body[at[0]+2:at[1]]), 16, 16)
		}
		low := unit&0xfc00 == 0xdc00
		if low != (highEnd == at[0]) || highEnd >= 0 && !low {
			return true
		}
		if highEnd = -1; unit&0xfc00 == 0xd800 {
			highEnd = at[1]
		}
	}
	return highEnd >= 0
}

func randomJSON(r *rand.Rand, depth int) string {
	space := strings.Repeat(" ", max(0, r.IntN(12)-9))
	kind := r.IntN(8)
	if depth == 0 {
		kind = r.IntN(5)
	}
	switch kind {
	case 0:
		return space + []string{"null", "true", "false"}[r.IntN(3)]
	case 1, 2:
		return space + randomNumber(r)
	case 3, 4:
		return randomString(r) + space
	case 5:
		items := make([]string, r.IntN(5))
		for i := range items {
			items[i] = randomJSON(r, depth-1)
		}
		return "[" + space + strings.Join(items, ",") + space + "]"
	}
	members, seen := []string{}, map[string]bool{}
	for range r.IntN(20) {
		key := randomString(r)
		var decoded string
		if err := json.Unmarshal([]byte(key), &decoded); err != nil {
			panic(err)
		}
		if !seen[decoded] {
			seen[decoded] = true
			members = append(members, key+space+":"+randomJSON(r, depth-1))
		}
	}
	return "{" + space + strings.Join(members, space+",") + "}"
}

func randomNumber(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		return strconv.Itoa(r.IntN(2000) - 1000)
	case 1:
		return "-0"
	case 2:
		return strconv.FormatInt(r.Int64(), 10) + strconv.FormatInt(r.Int64(), 10)
	case 3:
		return strconv.FormatFloat(r.NormFloat64()*100, 'f', r.IntN(20), 64)
	case 4:
		return strconv.FormatFloat(r.NormFloat64()*math.Pow10(r.IntN(60)-30), 'e', r.IntN(20), 64)
	default:
		return fmt.Sprintf("%d.%de%d", r.IntN(100), r.IntN(1000), r.IntN(80)-40)
	}
}

func randomString(r *rand.Rand) string {
	var out strings.Builder
	for range r.IntN(12) {
		switch c := []rune("abcABC019 \"\\/\b\f\n\r\t\x00\x1f\x7fé日\u2028\uffff😀")[r.IntN(26)]; {
		case c < ' ' || c == '"' || c == '\\' || r.IntN(3) == 0:
			out.WriteString(randomEscape(r, c))
		default:
			out.WriteRune(c)
		}
	}
	return `"` + out.String() + `"`
}

func randomEscape(r *rand.Rand, c rune) string {
	if i := strings.IndexRune("\"\\/\b\f\n\r\t", c); i >= 0 && r.IntN(2) == 0 {
		return `\` + string(`"\/bfnrt`[i])
	}
	escaped := fmt.Sprintf(`\u%04x`, c)
	if c >= 0x10000 {
		escaped = fmt.Sprintf(`\u%04x\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
	}
	if r.IntN(2) == 0 {
		return `\u` + strings.ReplaceAll(strings.ToUpper(escaped[2:]), `\U`, `\u`)
	}
	return escaped
}
