package pythonjson

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator makes bodies that are JSON, or nearly.
type generator struct{ *rand.Rand }

func (g generator) body() []byte {
	body := []byte(g.space() + g.value(4) + g.space())
	if g.IntN(3) > 0 {
		return body
	}
	for range 1 + g.IntN(3) {
		if len(body) > 0 {
			g.damage(&body)
		}
	}
	return body
}

// damage changes, drops or repeats some bytes.
func (g generator) damage(body *[]byte) {
	b, i := *body, g.IntN(len(*body))
	switch g.IntN(4) {
	case 0:
		b[i] ^= 1 << g.IntN(8)
	case 1:
		*body = append(b[:i:i], b[i+1:]...)
	case 2:
		*body = append(b[:i:i], append([]byte{b[i]}, b[i:]...)...)
	default:
		const telling = "{}[]\",:\\u0-+.eE \t\n\x00\x7f"
		b[i] = telling[g.IntN(len(telling))]
	}
}

func (g generator) space() string {
	if g.IntN(4) > 0 {
		return ""
	}
	return strings.Repeat([]string{" ", "\n", "\t", "\r", " \n  "}[g.IntN(5)], g.IntN(3))
}

func (g generator) value(depth int) string {
	if kind := g.IntN(9); depth > 0 && kind < 2 {
		return g.object(depth)
	} else if depth > 0 && kind < 4 {
		return g.array(depth)
	} else if kind < 6 {
		return g.text()
	} else if kind < 8 {
		return g.number()
	}
	return []string{"true", "false", "null", "NaN", "Infinity", "-Infinity", "[]", "{}"}[g.IntN(8)]
}

func (g generator) array(depth int) string {
	items := make([]string, g.IntN(5))
	for i := range items {
		items[i] = g.space() + g.value(depth-1) + g.space()
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (g generator) object(depth int) string {
	members := make([]string, g.IntN(6))
	for i := range members {
		members[i] = g.space() + g.text() + g.space() + ":" + g.space() + g.value(depth-1) + g.space()
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g generator) text() string {
	var b strings.Builder
	for range g.IntN(7) {
		switch g.IntN(8) {
		case 0:
			fmt.Fprintf(&b, `\u%04x`, g.IntN(0x10000))
		case 1:
			fmt.Fprintf(&b, `\u%04X\u%04x`, 0xd800+g.IntN(0x400), 0xdc00+g.IntN(0x400))
		case 2:
			b.WriteString([]string{`\n`, `\r`, `\t`, `\b`, `\f`, `\"`, `\\`, `\/`}[g.IntN(8)])
		case 3:
			b.WriteRune([]rune{'é', '€', '\u2028', 'ﬀ', '😀', '\u007f', '\u0080', '\uffff', '\ufeff'}[g.IntN(9)])
		default:
			b.WriteByte("abcABC <>&'/019"[g.IntN(15)])
		}
	}
	return `"` + b.String() + `"`
}

func (g generator) number() string {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = '0' + byte(g.IntN(10))
		}
		return string(b)
	}
	switch g.IntN(7) {
	case 0:
		return strconv.FormatInt(g.Int64()>>g.IntN(64), 10)
	case 1:
		return strconv.FormatFloat(math.Float64frombits(g.Uint64()), "eEfg"[g.IntN(4)], -1, 64)
	case 2:
		return strconv.FormatFloat(g.NormFloat64()*math.Pow10(g.IntN(40)-20), 'g', -1, 64)
	case 3:
		return "1" + digits(g.IntN(25)) + "." + digits(1+g.IntN(25))
	case 4:
		return fmt.Sprintf("-0.%se%d", digits(1+g.IntN(20)), g.IntN(800)-400)
	case 5:
		return []string{"-0", "0", "-0.0", "0e5", "1e22", "1e23", "9007199254740993.0", "9223372036854775808.0", "5e-324", "2.2250738585072011e-308", "1e16", "1e-5", "0.0001"}[g.IntN(13)]
	}
	return "1" + digits(g.IntN(40)) + fmt.Sprintf("e%+d", g.IntN(700)-350)
}
