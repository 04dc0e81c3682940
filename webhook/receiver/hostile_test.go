package receiver_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/webhook/receiver"
)

// raw is a request as its bytes go over the wire.
type raw struct {
	method, path string
	header       []string
	body         string
	noLength     bool
}

func (r raw) bytes() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: webhook\r\nConnection: close\r\n", r.method, r.path)
	for _, h := range r.header {
		b.WriteString(h + "\r\n")
	}
	if !r.noLength {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.body))
	}
	return b.String() + "\r\n" + r.body
}

func post(body string, header ...string) raw {
	return raw{method: http.MethodPost, path: receiver.Path, header: header, body: body}
}

func h(name, value string) string { return name + ": " + value }

func zipped(b []byte) string {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(b)
	_ = w.Close()
	return z.String()
}

func chunked(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	return b.String() + "0\r\n\r\n"
}

// hostile requests, each with the answer that it gets. 0 stands for a connection that is closed without one.
func hostile(t *testing.T) map[string]struct {
	r    raw
	code int
} {
	t.Helper()
	genuine := string(approval(nil))
	sig := didit.Sign(secret, []byte(genuine))
	v2, err := didit.SignV2(secret, []byte(genuine))
	require.NoError(t, err)
	at := strconv.FormatInt(now.Unix(), 10)
	old := string(approval(map[string]any{"timestamp": now.Unix() - 301}))
	future := string(approval(map[string]any{"timestamp": now.Unix() + 301}))
	signedRaw := func(body string) raw { return post(body, h("X-Signature", didit.Sign(secret, []byte(body)))) }
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	nested := `{"a":` + deep + `}`
	var keys strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&keys, `"%05d":0,`, i)
	}
	many := "{" + strings.TrimSuffix(keys.String(), ",") + "}"
	zeros := strings.Repeat("0", 64)

	type entry = struct {
		r    raw
		code int
	}
	return map[string]entry{
		// Without a signature that could be right: refused on the header alone.
		"nothing at all":                 {post(""), 400},
		"an empty object":                {post("{}"), 400},
		"genuine, unsigned":              {post(genuine), 400},
		"an empty signature":             {post(genuine, "X-Signature:"), 400},
		"an empty V2":                    {post(genuine, "X-Signature-V2:"), 400},
		"spaces as a signature":          {post(genuine, "X-Signature:    "), 400},
		"Simple alone":                   {post(genuine, h("X-Signature-Simple", didit.SignSimple(secret, now.Unix(), session, "Approved", "status.updated"))), 400},
		"Simple and a timestamp":         {post(genuine, h("X-Signature-Simple", sig), h("X-Timestamp", at)), 400},
		"the unsigned callback's header": {post(genuine, "X-Didit-Unsigned-Callback: true"), 400},
		"a test header and no signature": {post(genuine, "X-Didit-Test-Webhook: true"), 400},
		"a bearer token":                 {post(genuine, "Authorization: Bearer "+sig), 400},
		"a signature in the query":       {raw{method: "POST", path: receiver.Path + "?X-Signature=" + sig, body: genuine}, 400},
		"a signature in a cookie":        {post(genuine, "Cookie: X-Signature="+sig), 400},
		"another header's name":          {post(genuine, h("X-Signature-V3", sig)), 400},
		"an underscore in the name":      {post(genuine, h("X_Signature", sig)), 400},
		"GitHub's header":                {post(genuine, h("X-Hub-Signature-256", "sha256="+sig)), 400},
		"a signature of words":           {post(genuine, "X-Signature: please"), 403},
		"a signature with a prefix":      {post(genuine, h("X-Signature", "sha256="+sig)), 403},
		"a signature in base64":          {post(genuine, "X-Signature: 2jmj7l5rSw0yVb/vlWAYkK/YBwk="), 403},
		"a short signature":              {post(genuine, h("X-Signature", sig[:63])), 403},
		"a long signature":               {post(genuine, h("X-Signature", sig+"0")), 403},
		"a signature of zeros":           {post(genuine, h("X-Signature", zeros)), 403},
		"two signatures in one header":   {post(genuine, h("X-Signature", sig+","+sig)), 403},
		"a doubled header":               {post(genuine, h("X-Signature", sig), h("X-Signature", sig)), 403},
		"a doubled header, one wrong":    {post(genuine, h("X-Signature", zeros), h("X-Signature", sig)), 403},
		"a doubled V2":                   {post(genuine, h("X-Signature-V2", v2), h("X-Signature-V2", v2)), 403},
		"a doubled timestamp":            {post(genuine, h("X-Signature", sig), h("X-Timestamp", at), h("X-Timestamp", at)), 403},
		"a NUL in the header":            {post(genuine, "X-Signature: "+sig[:10]+"\x00"), 400},
		"a signature of 8 KiB":           {post(genuine, h("X-Signature", strings.Repeat("a", 8<<10))), 403},
		"headers beyond their cap":       {post(genuine, h("X-Filler", strings.Repeat("a", 2<<20))), 431},
		// Signed by another party, or for another purpose.
		"another secret":             {post(genuine, h("X-Signature", didit.Sign("another", []byte(genuine)))), 403},
		"the empty secret":           {post(genuine, h("X-Signature", didit.Sign("", []byte(genuine)))), 403},
		"signed for the empty body":  {post(genuine, h("X-Signature", didit.Sign(secret, nil))), 403},
		"signed for another body":    {post(genuine+" ", h("X-Signature", sig)), 403},
		"V2's digest as the raw one": {post(strings.Replace(genuine, "{", "{ ", 1), h("X-Signature", v2)), 403},
		"the raw digest as V2":       {post(strings.Replace(genuine, "{", "{ ", 1), h("X-Signature-V2", didit.Sign(secret, []byte(genuine+" ")))), 403},
		"both wrong":                 {post(genuine, h("X-Signature", zeros), h("X-Signature-V2", zeros)), 403},
		"the user changed":           {post(strings.Replace(genuine, `"u1"`, `"u2"`, 1), h("X-Signature", sig)), 403},
		"the user changed, V2":       {post(strings.Replace(genuine, `"u1"`, `"u2"`, 1), h("X-Signature-V2", v2)), 403},
		"the status changed":         {post(strings.Replace(genuine, "Approved", "Declined", 1), h("X-Signature", sig), h("X-Signature-V2", v2)), 403},
		"a second user added":        {post(strings.TrimSuffix(genuine, "}")+`,"vendor_data":"u2"}`, h("X-Signature-V2", v2)), 403},
		"two objects, V2":            {post(genuine+genuine, h("X-Signature-V2", v2)), 403},
		"a byte order mark, V2":      {post("\xef\xbb\xbf"+genuine, h("X-Signature-V2", v2)), 403},
		// Genuine once, and not now.
		"replayed after the window":      {signedRaw(old), 403},
		"replayed with a fresh header":   {post(old, h("X-Signature", didit.Sign(secret, []byte(old))), h("X-Timestamp", at)), 403},
		"from the future":                {signedRaw(future), 403},
		"a header that disagrees":        {post(genuine, h("X-Signature", sig), h("X-Timestamp", "1")), 403},
		"a header that is no number":     {post(genuine, h("X-Signature", sig), h("X-Timestamp", "now")), 403},
		"a timestamp as text":            {signedRaw(string(approval(map[string]any{"timestamp": at}))), 400},
		"a timestamp beyond all numbers": {signedRaw(strings.Replace(genuine, at, "1e400", 1)), 400},
		// What no sender of ours would sign, yet must not hurt if the secret is out.
		"signed, no JSON":               {signedRaw("hello"), 400},
		"signed, an array":              {signedRaw("[" + genuine + "]"), 400},
		"signed, null":                  {signedRaw("null"), 400},
		"signed, cut off":               {signedRaw(genuine[:len(genuine)-1]), 400},
		"signed, nested 20,000 deep":    {signedRaw(nested), 400},
		"V2, nested 20,000 deep":        {post(nested, h("X-Signature-V2", zeros)), 403},
		"V2, thousands of keys":         {post(many, h("X-Signature-V2", zeros)), 403},
		"V2, bytes that are no text":    {post("{\"a\":\"\xff\xfe\"}", h("X-Signature-V2", zeros)), 403},
		"V2, a number of 60,000 digits": {post(`{"a":`+strings.Repeat("9", 60_000)+`}`, h("X-Signature-V2", zeros)), 403},
		"compressed":                    {post(zipped([]byte(genuine)), "Content-Encoding: gzip", h("X-Signature", sig)), 403},
		"compressed, and signed so":     {post(zipped([]byte(genuine)), "Content-Encoding: gzip", h("X-Signature", didit.Sign(secret, []byte(zipped([]byte(genuine)))))), 400},
		"a form":                        {post("payload="+genuine, "Content-Type: application/x-www-form-urlencoded", h("X-Signature", sig)), 403},
		"multipart":                     {post("--b\r\n\r\n"+genuine+"\r\n--b--", "Content-Type: multipart/form-data; boundary=b", h("X-Signature", sig)), 403},
		// What is no proper request.
		"larger than the cap":            {post(strings.Repeat("x", maxBody+1), h("X-Signature", sig)), 413},
		"larger than the cap, in chunks": {raw{"POST", receiver.Path, []string{"Transfer-Encoding: chunked", h("X-Signature", sig)}, chunked(strings.Repeat("x", maxBody), "y"), true}, 413},
		"chunks, signed for another":     {raw{"POST", receiver.Path, []string{"Transfer-Encoding: chunked", h("X-Signature", sig)}, chunked(genuine[:10], genuine[11:]), true}, 403},
		"a chunk of no length":           {raw{"POST", receiver.Path, []string{"Transfer-Encoding: chunked", h("X-Signature", sig)}, "xyz\r\n", true}, 400},
		"a length and chunks":            {raw{"POST", receiver.Path, []string{"Transfer-Encoding: chunked", "Content-Length: 5", h("X-Signature", zeros)}, chunked(genuine), true}, 403},
		"two lengths":                    {raw{"POST", receiver.Path, []string{"Content-Length: 5", "Content-Length: 6", h("X-Signature", sig)}, genuine, true}, 400},
		"a negative length":              {raw{"POST", receiver.Path, []string{"Content-Length: -1", h("X-Signature", sig)}, genuine, true}, 400},
		"an unknown transfer encoding":   {raw{"POST", receiver.Path, []string{"Transfer-Encoding: gzip", h("X-Signature", sig)}, genuine, true}, 501},
		"GET":                            {raw{method: "GET", path: receiver.Path, header: []string{h("X-Signature", sig)}}, 405},
		"PUT":                            {raw{method: "PUT", path: receiver.Path, header: []string{h("X-Signature", sig)}, body: genuine}, 405},
		"DELETE":                         {raw{method: "DELETE", path: receiver.Path}, 405},
		"TRACE":                          {raw{method: "TRACE", path: receiver.Path}, 405},
		"another path":                   {raw{method: "POST", path: "/webhooks/didit/../didit2", header: []string{h("X-Signature", sig)}, body: genuine}, 404},
		"a path with dots":               {raw{method: "POST", path: "/webhooks/../../etc/passwd", body: genuine}, 404},
		"no HTTP":                        {raw{method: "\x16\x03\x01", path: "\x02"}, 400},
	}
}

// send sends the bytes and returns the status of the answer.
func send(t *testing.T, address, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	go func() { _, _ = conn.Write([]byte(request)) }() // the answer may come before all is written
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

func TestHostileRequests(t *testing.T) {
	all := hostile(t)
	require.GreaterOrEqual(t, len(all), 60)
	s := newSite(t, nil, nil)
	server := httptest.NewServer(s.handler)
	defer server.Close()
	for name, tc := range all {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.code, send(t, server.Listener.Addr().String(), tc.r.bytes()))
			assert.Empty(t, s.delivered, "Temporal was called")
		})
	}
	// The site still works.
	genuine := string(approval(nil))
	assert.Equal(t, http.StatusOK, send(t, server.Listener.Addr().String(), post(genuine, h("X-Signature", didit.Sign(secret, []byte(genuine)))).bytes()))
	assert.NotContains(t, s.log.String(), "PERSONAL")
}

// No bit of a webhook can be changed undetected, whichever signature it carries.
func TestEveryByteIsSigned(t *testing.T) {
	genuine := approval(nil)
	v2, err := didit.SignV2(secret, genuine)
	require.NoError(t, err)
	for name, header := range map[string]string{didit.HeaderSignature: didit.Sign(secret, genuine), didit.HeaderSignatureV2: v2} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil)
			for i := range genuine {
				for _, bit := range []byte{0x01, 0x20, 0x80} {
					body := bytes.Clone(genuine)
					body[i] ^= bit
					req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
					req.Header.Set(name, header)
					require.Equal(t, http.StatusForbidden, s.post(req).Code, "byte %d with bit %#x", i, bit)
				}
			}
			require.Empty(t, s.delivered)
		})
	}
}

// FuzzHandler searches for anything that is accepted without a valid signature, or that is answered with a 5xx.
func FuzzHandler(f *testing.F) {
	genuine := approval(nil)
	v2, err := didit.SignV2(secret, genuine)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genuine, didit.Sign(secret, genuine), "", "", strconv.FormatInt(now.Unix(), 10), false)
	f.Add(genuine, "", v2, "", "", true)
	f.Add([]byte(`{"a":[{"b":"\ud800"}],"c":1e400}`), "", v2, "", "1", false)
	f.Add([]byte("\xef\xbb\xbf{}"), "00", "zz", v2, "now", true)
	f.Fuzz(func(t *testing.T, body []byte, raw, v2, blog, at string, twice bool) {
		s := newSite(t, nil, nil)
		req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
		for name, value := range map[string]string{
			didit.HeaderSignature: raw, didit.HeaderSignatureV2: v2, didit.HeaderSignatureBlog: blog, didit.HeaderTimestamp: at,
		} {
			if value != "" {
				req.Header.Set(name, value)
			}
			if value != "" && twice {
				req.Header.Add(name, value)
			}
		}
		code := s.post(req).Code
		if code >= http.StatusInternalServerError {
			t.Fatalf("answered %d", code)
		}
		canonical, err := didit.SignV2(secret, body)
		ours := !twice && (strings.EqualFold(raw, didit.Sign(secret, body)) || strings.EqualFold(blog, didit.Sign(secret, body)) ||
			err == nil && strings.EqualFold(v2, canonical))
		if !ours && (code == http.StatusOK || len(s.delivered) > 0) {
			t.Fatalf("let in: %d", code)
		}
	})
}
