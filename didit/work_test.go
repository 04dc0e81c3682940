//go:build linux && !race

package didit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bound is how many times the HMAC-SHA256 of a body of the cap's size a refusal may cost, whatever is in it.
const bound = 12

// cpu is what this thread has spent. It does not depend on what else the machine does.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	const threadTime = 3 // CLOCK_THREAD_CPUTIME_ID: getrusage counts in ticks of some milliseconds
	var spent syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadTime, uintptr(unsafe.Pointer(&spent)), 0)
	require.Zero(tb, errno)
	return time.Duration(spent.Nano())
}

// cost is the least that f took in several tries: what disturbs it only adds.
func cost(tb testing.TB, tries int, f func()) time.Duration {
	tb.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	least := time.Hour
	for range tries {
		began := cpu(tb)
		f()
		least = min(least, cpu(tb)-began)
	}
	return least
}

// costlyBodies are bodies of about n bytes that are expensive to bring into canonical form.
func costlyBodies(n int) map[string]string {
	all := map[string]string{
		"keys":              shuffledKeys(n / 11),
		"empty objects":     list(n, "{}"),
		"empty arrays":      list(n, "[]"),
		"digits":            list(n, "0"),
		"negative zeros":    list(n, "-0"),
		"unsorted pairs":    list(n, `{"b":0,"a":0}`),
		"single members":    list(n, `{"":0}`),
		"short escapes":     list(n, `"\n\n\n\n\n\n\n\n"`),
		"long escapes":      list(n, `"\u00e9\u00e8\ud83d\ude00"`),
		"slashes":           `"` + strings.Repeat(`\/`, n/2-2) + `"`,
		"spaces":            list(n, " 0 "),
		"tabs":              strings.Repeat("\t", n-1) + "0",
		"text of two bytes": `"` + strings.Repeat("é", n/2-2) + `"`,
		"one long number":   "0." + strings.Repeat("7", n-2),
		"one long integer":  strings.Repeat("7", n),
		"one long exponent": "1e" + strings.Repeat("0", n-2),
		"nested unsorted":   list(n, strings.Repeat(`{"b":`, 30)+"0"+strings.Repeat(`,"a":0}`, 30)),
		"deep arrays":       list(n, strings.Repeat("[", 60)+strings.Repeat("]", 60)),
		"long equal keys":   longKeys(n),
		"escaped keys":      escapedKeys(n),
	}
	for name, unit := range costlyNumbers() {
		all[name] = list(n, unit)
	}
	return all
}

// longKeys differ at their ends only, and come in descending order.
func longKeys(n int) string {
	const length = 200
	var members []string
	for i := range n / (length + 16) {
		members = append(members, fmt.Sprintf(`"%s%05d":0`, strings.Repeat("k", length), n-i))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func escapedKeys(n int) string {
	var members []string
	for i := range n / 18 {
		members = append(members, fmt.Sprintf(`"\u0061%05x":0`, i*48271%(n/18)))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// costlyNumbers are number literals of every size: exponents from -400 to 400, 1 to 40 digits.
func costlyNumbers() map[string]string {
	all := map[string]string{
		"between two floats": "9.332636185032189826e-302", "half way": "9007199254740993.0", "half way, large": "9007199254740993e22",
		"half way, small": "0.500000000000000166533453693773481063544750213623046875", "one digit of 2^63": "1e18", "2^63": "9223372036854775808.0",
	}
	r := rand.New(rand.NewPCG(14, 1))
	for _, exponent := range []int{-400, -324, -320, -310, -300, -251, -250, -100, -27, -8, -5, 0, 5, 15, 18, 19, 22, 23, 55, 100, 250, 251, 300, 308, 400} {
		for _, digits := range []int{1, 2, 15, 17, 19, 20, 40} {
			text := make([]byte, digits)
			for i := range text {
				text[i] = '1' + byte(r.IntN(9))
			}
			all[fmt.Sprintf("%d digits, exponent %d", digits, exponent)] = fmt.Sprintf("%se%d", text, exponent-digits+1)
		}
	}
	return all
}

// refusalCost is what refusing the body costs, in HMACs of its length: the raw signature and V2 are both there and both wrong.
func refusalCost(tb testing.TB, v *Verifier, body []byte, tries int) float64 {
	tb.Helper()
	h := http.Header{HeaderSignature: {strings.Repeat("0", 64)}, HeaderSignatureV2: {strings.Repeat("0", 64)}}
	took := cost(tb, tries, func() {
		if _, err := v.Verify(h, body); !errors.Is(err, ErrBadSignature) {
			tb.Fatalf("%d bytes, not refused: %v", len(body), err)
		}
	})
	return float64(took) / float64(cost(tb, tries, bareHMAC(body)))
}

// An unknown sender can send any body with a wrong signature, which is known only at the end.
func TestEveryBodyIsRefusedWithinTheBound(t *testing.T) {
	v := verifierAt(t, hookTime, "another secret", hookSecret) // as while one replaces the other
	type row struct {
		name string
		x    float64
	}
	var rows []row
	for name, body := range costlyBodies(DefaultMaxBody) {
		x := refusalCost(t, v, []byte(body), 5)
		if x > bound { // the machine was busy, perhaps: its caches are shared
			x = refusalCost(t, v, []byte(body), 50)
		}
		rows = append(rows, row{name, x})
		assert.LessOrEqual(t, x, float64(bound), name)
	}
	slices.SortFunc(rows, func(a, b row) int { return int(1000 * (b.x - a.x)) })
	for _, r := range rows[:15] {
		t.Logf("%6.2f x HMAC  %s", r.x, r.name)
	}
}

// FuzzWork looks for a body whose refusal costs more than the bound: a beginning, what is repeated until the body has the
// cap's size, and an end.
func FuzzWork(f *testing.F) {
	f.Add("[", `{"b":0,"a":0},`, "0]")
	f.Add("[", "1e-320,", "0]")
	f.Add("{", `"\u0061":-0,`, `"":0}`)
	f.Add("[", "9007199254740993.0,", "0]")
	f.Add(`["`, `\/\n\ud83d\ude00é`, `"]`)
	f.Add("[[", " 0.1 , [ ] ,", "0]]")
	v := verifierAt(f, hookTime, "another secret", hookSecret)
	bound := float64(bound)
	// Built for fuzzing the code counts its branches: then this body, of about 9, shows what that costs.
	if known := refusalCost(f, v, []byte(list(DefaultMaxBody, "0")), 5); known > bound {
		bound *= 1.5 * known / 9
	}
	f.Fuzz(func(t *testing.T, first, unit, last string) {
		room := DefaultMaxBody - len(first) - len(last)
		if unit == "" || room < 0 {
			return
		}
		body := []byte(first + strings.Repeat(unit, room/len(unit)) + last)
		if len(body) < DefaultMaxBody/2 || refusalCost(t, v, body, 1) <= bound {
			return
		}
		if x := refusalCost(t, v, body, 20); x > bound {
			t.Fatalf("%.1f x HMAC", x)
		}
	})
}
