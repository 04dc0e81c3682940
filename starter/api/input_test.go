package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

// wrong is a body or a request that is refused, and what the problem says.
type wrong struct {
	body   string
	change func(*http.Request)
	kind   kind
	field  string // of the first error
	says   string // part of its detail
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func query(q string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = q } }

func wrongInputs() map[string]wrong {
	const good = `{"user_id":"u1"}`
	long := strings.Repeat("u", 129)
	return map[string]wrong{
		"no body":                          {"", nil, invalidInput, "", "the body is empty; want one JSON object"},
		"white space":                      {" \r\n\t", nil, invalidInput, "", "the body is empty"},
		"half an object":                   {`{"user_id":"u1"`, nil, invalidInput, "", "not JSON, or more than one value, at byte 15"},
		"no JSON at all":                   {`user_id=u1`, nil, invalidInput, "", "not JSON"},
		"single quotes":                    {`{'user_id':'u1'}`, nil, invalidInput, "", "at byte 2"},
		"a comma too many":                 {`{"user_id":"u1",}`, nil, invalidInput, "", "at byte 17"},
		"a comment":                        {`{"user_id":"u1"} // mine`, nil, invalidInput, "", "not JSON, or more than one value"},
		"two objects":                      {good + good, nil, invalidInput, "", "more than one value, at byte 17"},
		"an object and a word":             {good + " true", nil, invalidInput, "", "more than one value"},
		"a byte order mark":                {"\ufeff" + good, nil, invalidInput, "", "at byte 1"},
		"Latin-1":                          {"{\"user_id\":\"M\xfcller\"}", nil, invalidInput, "", "not UTF-8"},
		"a list":                           {`[{"user_id":"u1"}]`, nil, invalidInput, "", "the body is a list; want one JSON object"},
		"a string":                         {`"u1"`, nil, invalidInput, "", "the body is a string"},
		"null":                             {`null`, nil, invalidInput, "", "the body is null"},
		"a number":                         {`42`, nil, invalidInput, "", "the body is a number"},
		"deep nesting":                     {strings.Repeat("[", 12_000), nil, invalidInput, "", "not JSON"},
		"an empty object":                  {`{}`, nil, invalidInput, "user_id", `user_id is missing; want your opaque id of the user, such as {"user_id"`},
		"no user":                          {`{"language":"en"}`, nil, invalidInput, "user_id", "user_id is missing"},
		"an empty user":                    {`{"user_id":""}`, nil, invalidInput, "user_id", "user_id is empty; want 1 to 128 letters"},
		"an e-mail address":                {`{"user_id":"eve@hunter2.example"}`, nil, invalidInput, "user_id", "at position 4; want 1 to 128 letters"},
		"a user that is too long":          {`{"user_id":"` + long + `"}`, nil, invalidInput, "user_id", "user_id has 129 bytes"},
		"a user with a space":              {`{"user_id":"u 1"}`, nil, invalidInput, "user_id", "at position 2"},
		"a user that is a path":            {`{"user_id":"../u1"}`, nil, invalidInput, "user_id", "at position 1"},
		"half a surrogate pair":            {`{"user_id":"u\ud800"}`, nil, invalidInput, "user_id", "at position 2"},
		"a zero byte":                      {`{"user_id":"u\u0000"}`, nil, invalidInput, "user_id", "at position 2"},
		"a user that is a number":          {`{"user_id":1042}`, nil, invalidInput, "user_id", "user_id is a number; want a string"},
		"a user that is null":              {`{"user_id":null}`, nil, invalidInput, "user_id", "user_id is null; want a string"},
		"a user that is a list":            {`{"user_id":["u1"]}`, nil, invalidInput, "user_id", "user_id is a list; want a string"},
		"a user that is an object":         {`{"user_id":{"id":"u1"}}`, nil, invalidInput, "user_id", "user_id is an object; want a string"},
		"the user twice":                   {`{"user_id":"u1","user_id":"u2"}`, nil, invalidInput, "user_id", "user_id is given twice"},
		"the user twice, once escaped":     {`{"user_id":"u1","\u0075ser_id":"u2"}`, nil, invalidInput, "user_id", "user_id is given twice"},
		"a field in capitals":              {`{"user_id":"u1","User_ID":"u2"}`, nil, invalidInput, "User_ID", "unknown field; want only user_id, workflow_id, language"},
		"a field of another spelling":      {`{"user_id":"u1","returnUrl":"https://shop.example"}`, nil, invalidInput, "returnUrl", "unknown field; want only"},
		"a field without a name":           {`{"user_id":"u1","":1}`, nil, invalidInput, "", "unknown field"},
		"a field with a very long name":    {`{"user_id":"u1","` + long + `":1}`, nil, invalidInput, long[:64] + "...", "unknown field"},
		"the run that it follows":          {`{"user_id":"u1","after_run":"run-1"}`, nil, invalidInput, "after_run", "unknown field; want only user_id"},
		"a flow that is no UUID":           {`{"user_id":"u1","workflow_id":"hunter2"}`, nil, invalidInput, "workflow_id", "workflow_id is not a UUID"},
		"a flow that is true":              {`{"user_id":"u1","workflow_id":true}`, nil, invalidInput, "workflow_id", "workflow_id is true or false; want a string"},
		"a language that is a name":        {`{"user_id":"u1","language":"English"}`, nil, invalidInput, "language", "want one such as en or pt-BR"},
		"a language that is null":          {`{"user_id":"u1","language":null}`, nil, invalidInput, "language", "language is null; want a string"},
		"a relative return URL":            {`{"user_id":"u1","return_url":"/welcome"}`, nil, invalidInput, "return_url", "not an absolute http or https URL"},
		"a return URL that is a script":    {`{"user_id":"u1","return_url":"javascript:alert(1)"}`, nil, invalidInput, "return_url", "not an absolute http or https URL"},
		"a return URL with a password":     {`{"user_id":"u1","return_url":"https://me:hunter2@shop.example"}`, nil, invalidInput, "return_url", "not an absolute http"},
		"a return URL that is too long":    {`{"user_id":"u1","return_url":"https://shop.example/` + strings.Repeat("a", 2048) + `"}`, nil, invalidInput, "return_url", "of at most 2048 bytes"},
		"reverify as a string":             {`{"user_id":"u1","reverify":"true"}`, nil, invalidInput, "reverify", "reverify is a string; want true or false"},
		"reverify as a number":             {`{"user_id":"u1","reverify":1}`, nil, invalidInput, "reverify", "reverify is a number; want true or false"},
		"reverify that is null":            {`{"user_id":"u1","reverify":null}`, nil, invalidInput, "reverify", "reverify is null; want true or false"},
		"an unknown priority":              {`{"user_id":"u1","priority":"high"}`, nil, invalidInput, "priority", `priority is neither "interactive" nor "bulk"`},
		"a priority that is a number":      {`{"user_id":"u1","priority":1}`, nil, invalidInput, "priority", "priority is a number; want a string"},
		"a query":                          {good, query("wait=30s"), invalidInput, "wait", "unknown query parameter; this route takes none"},
		"a query that is none":             {good, query("%zz"), invalidInput, "query", "not URL-encoded"},
		"a body that says it is too large": {good, func(r *http.Request) { r.ContentLength = maxBody + 1 }, tooLarge, "", "more than 16384 bytes"},
		"a body that proves too large": {good + strings.Repeat(" ", maxBody), func(r *http.Request) { r.ContentLength = -1 },
			tooLarge, "", "more than 16384 bytes"},
		"a body that breaks off":     {"", func(r *http.Request) { r.Body = io.NopCloser(brokenReader{}) }, invalidInput, "", "did not arrive completely"},
		"no content type":            {good, func(r *http.Request) { r.Header.Del("Content-Type") }, unsupportedMedia, "Content-Type", "not application/json"},
		"a form":                     {good, header("Content-Type", "application/x-www-form-urlencoded"), unsupportedMedia, "Content-Type", "not application/json"},
		"plain text":                 {good, header("Content-Type", "text/plain"), unsupportedMedia, "Content-Type", "not application/json"},
		"a content type that is cut": {good, header("Content-Type", "application/json; charset"), unsupportedMedia, "Content-Type", "not application/json"},
		"another charset":            {good, header("Content-Type", "application/json; charset=iso-8859-1"), unsupportedMedia, "Content-Type", "the charset is not utf-8"},
		"a compressed body":          {zipped(good), header("Content-Encoding", "gzip"), unsupportedMedia, "Content-Encoding", "not compressed"},
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func TestWrongInputsAreNamedAndNotPassedOn(t *testing.T) {
	require.Greater(t, len(wrongInputs()), 40)
	for name, tc := range wrongInputs() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			rec := b.request(http.MethodPost, Path, tc.body, tc.change)
			p := problemIn(t, rec)
			assert.Equal(t, tc.kind.name, p.name())
			assert.Equal(t, tc.kind.status, rec.Code)
			require.Len(t, p.Errors, 1)
			assert.Equal(t, tc.field, p.Errors[0].Field)
			assert.Contains(t, p.Errors[0].Detail, tc.says)
			assert.Equal(t, p.Errors[0].Detail, p.Detail, "one mistake is the whole detail")
			assert.Zero(t, b.calls, "calls to Temporal")
			assert.NotContains(t, p.Detail+b.log.String(), "hunter2", "a value was repeated")
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	b := newBench(t, nil)
	p := problemIn(t, b.post(`{"language":"English","reverify":"yes","extra":1,"priority":7}`))
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field)
	}
	assert.Equal(t, []string{"language", "reverify", "extra", "priority", "user_id"}, fields)
	assert.Equal(t, "5 mistakes; errors lists them", p.Detail)

	var many strings.Builder
	for i := range 1000 {
		many.WriteString(`"` + string(rune('a'+i%26)) + `":1,`)
	}
	p = problemIn(t, b.post("{"+many.String()+`"user_id":"u1"}`))
	assert.Len(t, p.Errors, 20)
	assert.Zero(t, b.calls)
}

func TestWrongQueries(t *testing.T) {
	for path, tc := range map[string]struct{ field, says string }{
		"/u1?wait=30":                  {"wait", "want one such as 30s"},
		"/u1?wait=-1s":                 {"wait", "wait is not one duration; want one such as 30s"},
		"/u1?wait=":                    {"wait", "wait is not one duration; want one such as 30s"},
		"/u1?wait=1s&wait=2s":          {"wait", "given twice"},
		"/u1?wiat=1s":                  {"wiat", "unknown query parameter; this route knows wait"},
		"/u1?wait=1s;x=1":              {"query", "not URL-encoded"},
		"/" + url.PathEscape("ü"):      {"user_id", "at position 1; want 1 to 128 letters"},
		"/eve@hunter2.example":         {"user_id", "never an e-mail address or a name"},
		"/" + strings.Repeat("u", 129): {"user_id", "user_id has 129 bytes"},
	} {
		t.Run(path, func(t *testing.T) {
			b := newBench(t, nil)
			p := problemIn(t, b.get(Path+path))
			assert.Equal(t, invalidInput.name, p.name())
			require.Len(t, p.Errors, 1)
			assert.Equal(t, tc.field, p.Errors[0].Field)
			assert.Contains(t, p.Errors[0].Detail, tc.says)
			assert.Zero(t, b.calls)
			assert.NotContains(t, b.log.String(), "hunter2")
		})
	}
}

func TestAWholeInputArrives(t *testing.T) {
	b := newBench(t, nil)
	var got kyc.Input
	b.fake.start = func(_ context.Context, in kyc.Input) (kyc.Started, error) {
		got = in
		return newOne(in.UserID), nil
	}
	rec := b.request(http.MethodPost, Path, ` {"user_id":"u-1:2._x", "workflow_id":"11111111-2222-4333-8444-555555555555", "language":"pt-BR",
		"return_url":"https://shop.example/welcome?a=1&b=2", "reverify":true, "priority":"bulk"} `, header("Content-Type", "Application/JSON; charset=UTF-8"))
	require.Equal(t, http.StatusCreated, rec.Code, rec.Body)
	assert.Equal(t, kyc.Input{
		UserID: "u-1:2._x", WorkflowID: "11111111-2222-4333-8444-555555555555", Language: "pt-BR",
		ReturnURL: "https://shop.example/welcome?a=1&b=2", Reverify: true, Priority: kyc.PriorityBulk,
	}, got)
}
