package didit

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of APIError.Detail, in characters.
const (
	maxDetail = 200
	maxReason = 80
)

// explain finds code and detail in the several shapes of Didit's errors: {"detail": "...", "code": "..."},
// {"field": "reason"}, {"field": ["reason"]}, ["reason"], or no JSON at all
// (https://docs.didit.me/integration/api-errors).
func explain(body []byte, hide mask) (code, detail string) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return "", ""
	}
	if m, ok := v.(map[string]any); ok {
		if text, ok := m["code"].(string); ok {
			delete(m, "code")
			if isToken(text) && hide.apply(text) == text {
				code = knownParts(text)
			}
		}
		if d, ok := m["detail"].(string); ok {
			return code, shorten(knownOnly(oneLine(hide.apply(d))), maxDetail)
		}
	}
	return code, shorten(strings.Join(reasons("", v, hide, 0), "; "), maxDetail)
}

// reasons lists "field: reason" in the order of the names. It takes strings only: a number or a nested value could be
// what was sent.
func reasons(name string, v any, hide mask, depth int) []string {
	var all []string
	switch v := v.(type) {
	case string:
		text := shorten(knownOnly(oneLine(hide.apply(v))), maxReason)
		if name != "" {
			text = knownOnly(hide.apply(name)) + ": " + text
		}
		return []string{text}
	case []any:
		if depth < 4 {
			for _, item := range v {
				all = append(all, reasons(name, item, hide, depth+1)...)
			}
		}
	case map[string]any:
		if depth < 4 {
			for _, key := range slices.Sorted(maps.Keys(v)) {
				all = append(all, reasons(joinNames(name, key), v[key], hide, depth+1)...)
			}
		}
	}
	return all
}

func joinNames(parent, key string) string {
	if !isToken(key) {
		key = "?"
	}
	if parent == "" || parent == "detail" {
		return key
	}
	return parent + "." + key
}

// oneLine leaves visible characters and single spaces.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// shorten makes one line of at most limit characters, all of them visible.
func shorten(s string, limit int) string {
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// maskedWord stands for what was sent.
const maskedWord = "[sent]"

// mask is the strings that went out with a call, longest first, so that none is left in halves.
type mask []string

func newMask(key string, k call) mask {
	found := map[string]bool{key: true, k.bearer: true}
	for _, v := range k.hide {
		found[v] = true
	}
	for _, values := range k.query {
		for _, v := range values {
			found[v] = true
		}
	}
	var body any
	if json.Unmarshal(k.payload, &body) == nil {
		collect(body, found)
	}
	m := make(mask, 0, 2*len(found))
	for v := range found {
		if v != "" && !Status(v).Known() { // a status says nothing of a person and much about the refusal
			m = append(m, v, url.QueryEscape(v))
		}
	}
	slices.SortFunc(m, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return m
}

// collect finds the strings in v at any depth, the keys of metadata excepted.
func collect(v any, found map[string]bool) {
	switch v := v.(type) {
	case string:
		found[v] = true
	case []any:
		for _, item := range v {
			collect(item, found)
		}
	case map[string]any:
		for _, item := range v {
			collect(item, found)
		}
	}
}

func (m mask) apply(s string) string {
	for _, v := range m {
		s = hideOne(s, v)
	}
	return s
}

// hideOne masks v in s. A short v only as a word of its own: a user called "a" must not blot out the text.
func hideOne(s, v string) string {
	var out strings.Builder
	done := 0
	for {
		i := strings.Index(s[done:], v)
		if i < 0 {
			return out.String() + s[done:]
		}
		start, end := done+i, done+i+len(v)
		if len(v) >= 4 || !touchesWord(s, start, end) {
			out.WriteString(s[done:start] + maskedWord)
		} else {
			out.WriteString(s[done:end])
		}
		done = end
	}
}

// touchesWord reports whether s[start:end] has a letter or a digit for a neighbour.
func touchesWord(s string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:start])
	after, _ := utf8.DecodeRuneInString(s[end:])
	return isWord(before) || isWord(after)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
