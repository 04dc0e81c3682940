package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"didit-temporal/kyc"
)

// FieldError says what is wrong with one field and what would be right.
type FieldError struct {
	Field  string `json:"field"` // empty: the body as a whole
	Detail string `json:"detail"`
}

// field is a field of a request's body: exactly one of its setters is there, by the type that it has. A setter returns the
// rule that the value breaks.
type field[T any] struct {
	name     string
	required string // what it is, if it must be there
	text     func(*T, string) error
	boolean  func(*T, bool) error
}

// refusal is a request that is refused before it reaches Temporal.
type refusal struct {
	kind
	details
}

// readBody decodes a request's body by a table of its fields, strictly: a field that is spelled wrongly, or given twice,
// would silently mean something else. example is what the body may look like.
func readBody[T any](c *gin.Context, fields []field[T], example string) (T, *refusal) {
	var into T
	if faults := parseQuery(c.Request.URL, nil); len(faults) > 0 {
		return into, &refusal{invalidInput, details{fields: faults}}
	}
	if bad := checkMedia(c.Request.Header); bad != nil {
		return into, bad
	}
	body, bad := readAll(c)
	if bad != nil {
		return into, bad
	}
	if faults := decode(body, fields, example, &into); len(faults) > 0 {
		return into, &refusal{invalidInput, details{fields: faults}}
	}
	return into, nil
}

func checkMedia(h http.Header) *refusal {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := params["charset"]
	switch {
	case err != nil || media != "application/json":
		return &refusal{unsupportedMedia, details{fields: []FieldError{{"Content-Type", "Content-Type is not application/json"}}}}
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		return &refusal{unsupportedMedia, details{fields: []FieldError{{"Content-Type", "the charset is not utf-8"}}}}
	case h.Get("Content-Encoding") != "" && !strings.EqualFold(h.Get("Content-Encoding"), "identity"):
		return &refusal{unsupportedMedia, details{fields: []FieldError{{"Content-Encoding", "Content-Encoding is set; want a body that is not compressed"}}}}
	}
	return nil
}

func readAll(c *gin.Context) ([]byte, *refusal) {
	large := &refusal{tooLarge, details{fields: []FieldError{{Detail: fmt.Sprintf("the body has more than %d bytes", maxBody)}}}}
	if c.Request.ContentLength > maxBody {
		return nil, large
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, large
	case err != nil:
		return nil, &refusal{invalidInput, details{cause: err, fields: []FieldError{{Detail: "the body did not arrive completely; send it again"}}}}
	}
	return body, nil
}

// decode reads the body into a value and returns everything that is wrong with it.
func decode[T any](body []byte, fields []field[T], example string, into *T) (faults []FieldError) {
	if fault := notObject(body); fault != "" {
		return []FieldError{{Detail: fault + "; want one JSON object, " + example}}
	}
	d := json.NewDecoder(bytes.NewReader(body)) // it cannot fail: the body is one object
	_, _ = d.Token()                            // the brace
	seen := map[string]bool{}
	for d.More() {
		key, _ := d.Token()
		name, _ := key.(string)
		var value json.RawMessage
		_ = d.Decode(&value)
		if fault := set(into, fields, name, value, seen[name]); fault != "" {
			faults = append(faults, FieldError{Field: shortened(name), Detail: fault})
		}
		seen[name] = true
	}
	for _, f := range fields {
		if f.required != "" && !seen[f.name] {
			faults = append(faults, FieldError{Field: f.name, Detail: fmt.Sprintf("%s is missing; want %s, %s", f.name, f.required, example)})
		}
	}
	const most = 20 // a longer list helps no reader
	return faults[:min(len(faults), most)]
}

func notObject(body []byte) string {
	var syntax *json.SyntaxError
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return "the body is empty"
	case !utf8.Valid(body):
		return "the body is not UTF-8"
	case errors.As(json.Unmarshal(body, &json.RawMessage{}), &syntax):
		return fmt.Sprintf("the body is not JSON, or more than one value, at byte %d", syntax.Offset)
	case trimmed[0] != '{':
		return "the body is " + typeOf(trimmed)
	}
	return ""
}

// set puts one value where its field says, and returns what is wrong with it.
func set[T any](into *T, fields []field[T], name string, value json.RawMessage, again bool) string {
	at := slices.IndexFunc(fields, func(f field[T]) bool { return f.name == name })
	switch {
	case at < 0:
		return "unknown field; want only " + names(fields)
	case again:
		return name + " is given twice"
	}
	var err error
	if f := fields[at]; f.boolean != nil {
		var b bool
		if typeOf(value) != typeOf([]byte("true")) || json.Unmarshal(value, &b) != nil {
			return name + " is " + typeOf(value) + "; want true or false"
		}
		err = f.boolean(into, b)
	} else {
		var s string
		if value[0] != '"' || json.Unmarshal(value, &s) != nil {
			return name + " is " + typeOf(value) + "; want a string"
		}
		err = f.text(into, s)
	}
	if err != nil {
		return ruleBroken(name, err).Detail
	}
	return ""
}

func names[T any](fields []field[T]) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return strings.Join(all, ", ")
}

func typeOf(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// shortened is a name of the caller's choice, short enough to repeat.
func shortened(name string) string {
	const most = 64
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return name
}

// ruleBroken is kyc's error without its prefix.
func ruleBroken(field string, err error) FieldError {
	return FieldError{Field: field, Detail: strings.TrimPrefix(err.Error(), kyc.ErrInvalidInput.Error()+": ")}
}
