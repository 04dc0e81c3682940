package api

import (
	"bytes"
	"cmp"
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

func byField(x, y FieldError) int { return cmp.Compare(x.Field, y.Field) }

// badRequest is a request that is refused before Temporal hears of it.
type badRequest struct {
	kind
	trouble
}

// property is a field of the input. Exactly one of its setters is there, by the type that it has.
type property struct {
	name    string
	text    func(*kyc.Input, string)
	boolean func(*kyc.Input, bool)
}

// properties are those of kyc.Input but resume, which is the webhook's alone.
var properties = []property{
	{name: "user_id", text: func(in *kyc.Input, s string) { in.UserID = s }},
	{name: "workflow_id", text: func(in *kyc.Input, s string) { in.WorkflowID = s }},
	{name: "language", text: func(in *kyc.Input, s string) { in.Language = s }},
	{name: "return_url", text: func(in *kyc.Input, s string) { in.ReturnURL = s }},
	{name: "reverify", boolean: func(in *kyc.Input, b bool) { in.Reverify = b }},
	{name: "priority", text: func(in *kyc.Input, s string) { in.Priority = kyc.Priority(s) }},
}

const example = `such as {"user_id": "u-1042"}`

// readInput is strict: a field that is spelled wrongly, or given twice, would silently mean something else.
func readInput(c *gin.Context) (kyc.Input, *badRequest) {
	if _, faults := parseQuery(c.Request.URL); len(faults) > 0 {
		return kyc.Input{}, &badRequest{invalidInput, trouble{fields: faults}}
	}
	if bad := checkMedia(c.Request.Header); bad != nil {
		return kyc.Input{}, bad
	}
	body, bad := readBody(c)
	if bad != nil {
		return kyc.Input{}, bad
	}
	in, faults := decode(body)
	if len(faults) > 0 {
		return kyc.Input{}, &badRequest{invalidInput, trouble{fields: faults}}
	}
	return in, nil
}

func checkMedia(h http.Header) *badRequest {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := params["charset"]
	switch {
	case err != nil || media != "application/json":
		return &badRequest{unsupportedMedia, trouble{fields: []FieldError{{"Content-Type", "Content-Type is not application/json"}}}}
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		return &badRequest{unsupportedMedia, trouble{fields: []FieldError{{"Content-Type", "the charset is not utf-8"}}}}
	case h.Get("Content-Encoding") != "" && !strings.EqualFold(h.Get("Content-Encoding"), "identity"):
		return &badRequest{unsupportedMedia, trouble{fields: []FieldError{{"Content-Encoding", "Content-Encoding is set; want a body that is not compressed"}}}}
	}
	return nil
}

func readBody(c *gin.Context) ([]byte, *badRequest) {
	large := &badRequest{tooLarge, trouble{fields: []FieldError{{Detail: fmt.Sprintf("the body has more than %d bytes", maxBody)}}}}
	if c.Request.ContentLength > maxBody {
		return nil, large
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, large
	case err != nil:
		return nil, &badRequest{invalidInput, trouble{cause: err, fields: []FieldError{{Detail: "the body did not arrive as a whole; send it again"}}}}
	}
	return body, nil
}

// decode reads the input and returns everything that is wrong with it.
func decode(body []byte) (kyc.Input, []FieldError) {
	if fault := checkJSON(body); fault != "" {
		return kyc.Input{}, []FieldError{{Detail: fault + "; want one JSON object, " + example}}
	}
	var in kyc.Input
	var faults []FieldError
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(body))
	_, _ = d.Token() // the brace: checkJSON has seen the whole
	for d.More() {
		key, _ := d.Token()
		name, _ := key.(string)
		var value json.RawMessage
		_ = d.Decode(&value)
		if fault := set(&in, name, value, seen[name]); fault != "" {
			faults = append(faults, FieldError{Field: shown(name), Detail: fault})
		}
		seen[name] = true
	}
	if !seen["user_id"] {
		faults = append(faults, FieldError{Field: "user_id", Detail: "user_id is missing; want your opaque id of the user, " + example})
	}
	const most = 20 // a list of a thousand helps nobody
	return in, faults[:min(len(faults), most)]
}

func checkJSON(body []byte) string {
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	var syntax *json.SyntaxError
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return "the body is empty"
	case !utf8.Valid(body):
		return "the body is not UTF-8"
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not JSON, or more than one value, at byte %d", syntax.Offset)
	case err != nil:
		return "the body is not JSON"
	case trimmed[0] != '{':
		return "the body is " + typeOf(trimmed)
	}
	return ""
}

// set puts one value into the input and says what is wrong with it.
func set(in *kyc.Input, name string, value json.RawMessage, again bool) string {
	at := slices.IndexFunc(properties, func(p property) bool { return p.name == name })
	switch {
	case name == "resume":
		return "resume is the webhook's alone; leave it out"
	case at < 0:
		return "unknown field; want only " + names()
	case again:
		return name + " is given twice"
	}
	p := properties[at]
	if p.boolean != nil {
		var b bool
		if typeOf(value) != typeOf([]byte("true")) || json.Unmarshal(value, &b) != nil {
			return name + " is " + typeOf(value) + "; want true or false"
		}
		p.boolean(in, b)
		return ""
	}
	var s string
	if value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return name + " is " + typeOf(value) + "; want a string"
	}
	p.text(in, s)
	probe := kyc.Input{UserID: "u"} // alone, so that each field is judged and not only the first that is wrong
	p.text(&probe, s)
	if err := probe.Validate(); err != nil {
		return ruleBroken(name, err).Detail
	}
	return ""
}

// ruleBroken is what kyc says, without its name for the sort of error.
func ruleBroken(field string, err error) FieldError {
	return FieldError{Field: field, Detail: strings.TrimPrefix(err.Error(), kyc.ErrInvalidInput.Error()+": ")}
}

func names() string {
	all := make([]string, len(properties))
	for i, p := range properties {
		all[i] = p.name
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

// shown is a name that somebody else chose, short enough to repeat.
func shown(name string) string {
	const most = 64
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return name
}
