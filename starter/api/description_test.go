package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// object is a JSON object.
type object = map[string]any

func described(t *testing.T) object {
	t.Helper()
	b := newBench(t, nil)
	rec := b.request(http.MethodGet, "/openapi.json", "", func(r *http.Request) { r.Header.Del("Authorization") })
	require.Equal(t, http.StatusOK, rec.Code)
	doc, err := jsonschema.UnmarshalJSON(rec.Body)
	require.NoError(t, err)
	require.Equal(t, "3.1.0", doc.(object)["openapi"])
	return doc.(object)
}

func TestEveryRouteIsDescribedAndTheReverse(t *testing.T) {
	var have, want []string
	for _, r := range newBench(t, nil).engine().Routes() {
		have = append(have, r.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}"))
	}
	for path, item := range described(t)["paths"].(object) {
		for method := range item.(object) {
			want = append(want, strings.ToUpper(method)+" "+path)
		}
	}
	assert.ElementsMatch(t, want, have)
}

// Every field of the Go types is described with its type, and the reverse. resume is not part of the API.
func TestTheTypesAreDescribed(t *testing.T) {
	schemas := described(t)["components"].(object)["schemas"].(object)
	for name, v := range map[string]any{
		"Input": kyc.Input{}, "Verification": Verification{}, "Check": kyc.Check{}, "Problem": Problem{}, "FieldError": FieldError{},
		"Operation": Operation{}, "Summary": kyc.Summary{}, "List": List{}, "Step": ops.Step{}, "History": History{},
	} {
		have := fieldsOf(reflect.TypeOf(v))
		delete(have, "resume")
		want := map[string]string{}
		for field, schema := range schemas[name].(object)["properties"].(object) {
			want[field] = schema.(object)["type"].(string)
		}
		assert.Equal(t, want, have, name)
		assert.Equal(t, false, schemas[name].(object)["additionalProperties"], name)
	}
	for name, fields := range map[string][]field[action]{"Action": operatorFields, "Decision": decisionFields, "Erasure": erasureFields} {
		have, required := map[string]string{}, []any{}
		for _, f := range fields {
			if have[f.name] = "string"; f.boolean != nil {
				have[f.name] = "boolean"
			}
			if f.required != "" {
				required = append(required, f.name)
			}
		}
		want := map[string]string{}
		for field, schema := range schemas[name].(object)["properties"].(object) {
			want[field] = schema.(object)["type"].(string)
		}
		assert.Equal(t, want, have, name)
		assert.ElementsMatch(t, schemas[name].(object)["required"], required, name)
	}
	assert.Len(t, schemas, 13, "a schema that no type is compared with")
	assert.Len(t, inputFields, len(schemas["Input"].(object)["properties"].(object)), "the decoder knows each field")
	erased := schemas["Operation"].(object)["properties"].(object)["erased"].(object)["properties"].(object)
	assert.Len(t, erased, reflect.TypeFor[kyc.Erased]().NumField())
}

func fieldsOf(t reflect.Type) map[string]string {
	fields := map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for name, kind := range fieldsOf(f.Type) {
				fields[name] = kind
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = jsonType(f.Type)
	}
	return fields
}

func jsonType(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time](), t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return "integer"
	case t.Kind() == reflect.Slice:
		return "array"
	case t.Kind() == reflect.Pointer:
		return "object"
	}
	return t.String()
}

// schema compiles one schema of the description.
func schema(t *testing.T, doc object, pointer string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	require.NoError(t, c.AddResource("mem:///openapi.json", doc))
	s, err := c.Compile("mem:///openapi.json#" + pointer)
	require.NoError(t, err, pointer)
	return s
}

// Each example is what its schema says, and each reference leads somewhere.
func TestTheExamplesAreRight(t *testing.T) {
	doc := described(t)
	tried := 0
	walk(doc, "", func(pointer string, node object) {
		examples, _ := node["examples"].(object)
		if one, ok := node["example"]; ok && node["content"] == nil {
			examples = object{"example": object{"value": one}}
		}
		for name, x := range examples {
			if node["schema"] == nil {
				continue
			}
			tried++
			assert.NoError(t, schema(t, doc, pointer+"/schema").Validate(x.(object)["value"]), pointer+" "+name)
		}
		if ref, ok := node["$ref"].(string); ok {
			assert.NotNil(t, at(doc, ref), ref)
		}
	})
	assert.Greater(t, tried, 15)
}

func walk(node any, pointer string, visit func(string, object)) {
	switch n := node.(type) {
	case object:
		visit(pointer, n)
		for k, v := range n {
			walk(v, pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(k), visit)
		}
	case []any:
		for i, v := range n {
			walk(v, pointer+"/"+strconv.Itoa(i), visit)
		}
	}
}

func at(doc object, ref string) any {
	var node any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, _ := node.(object)
		node = o[part]
	}
	return node
}

// What the handlers really write, good and bad, is what the description says.
func TestRealAnswersAreAsDescribed(t *testing.T) {
	doc := described(t)
	verification, problem := schema(t, doc, "/components/schemas/Verification"), schema(t, doc, "/components/schemas/Problem")
	for name, v := range map[string]Verification{
		"new":     {State: newOne("u1").State, RunID: "run-1", URL: pageURL},
		"decided": {State: approved("u1"), RunID: "run-1"},
		"waiting": {State: kyc.State{UserID: "u1"}, RunID: "run-1", ETASeconds: 3},
	} {
		v.Checks, v.Warnings = append([]kyc.Check{}, v.Checks...), append([]string{}, v.Warnings...)
		assert.NoError(t, verification.Validate(plain(t, v)), name)
	}
	for name, tc := range wrongInputs() {
		b := newBench(t, nil)
		body, err := jsonschema.UnmarshalJSON(b.request(http.MethodPost, Path, tc.body, tc.change).Body)
		require.NoError(t, err)
		assert.NoError(t, problem.Validate(body), name)
	}
}

func plain(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return out
}

// What the schema of the input refuses, the decoder refuses too; it is stricter, as rules need words.
func TestTheDecoderIsAsStrictAsTheDescription(t *testing.T) {
	input := schema(t, described(t), "/components/schemas/Input")
	refused := 0
	for name, tc := range wrongInputs() {
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(tc.body))
		if err == nil && input.Validate(body) != nil {
			refused++
			faults := decode([]byte(tc.body), inputFields, inputExample, new(kyc.Input))
			assert.NotEmpty(t, faults, name)
		}
	}
	assert.Greater(t, refused, 20)
}

func TestTheProblemsAreListed(t *testing.T) {
	doc := described(t)
	var have []string
	for _, k := range kinds {
		have = append(have, problems+k.name)
	}
	var want []string
	for _, v := range at(doc, "#/components/schemas/Problem/properties/type/enum").([]any) {
		want = append(want, v.(string))
	}
	assert.ElementsMatch(t, want, have)
	names := slices.Clone(have)
	slices.Sort(names)
	assert.Len(t, slices.Compact(names), len(kinds), "two of one name")
}
