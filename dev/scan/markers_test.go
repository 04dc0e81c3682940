package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Markers are words that occur nowhere else. Where one is found, what it stands for has leaked.

// class is what a marker stands for.
type class string

// Classes that are forbidden everywhere or, for classSession, in most places. All others are personal data and are named
// after the field that they were planted in.
const (
	classSession       class = "session token or URL"
	classErased        class = "session token of an erased user"
	classAPIKey        class = "Didit's API key"
	classWebhookSecret class = "webhook secret"
	classBearer        class = "bearer token"
	classResultSecret  class = "result secret"
	classResultURL     class = "result URL"
	classPayloadKey    class = "payload key"
	classStranger      class = "what a stranger sent"
	classAnswer        class = "what the receiver of results answered"
	classPanic         class = "value of a panic"
	classAny           class = "some marker, cut off"
)

// prefix begins every marker that may be any text.
const prefix = "ZqxMarker"

// marker is the text for a field.
func marker(field string) string {
	var b strings.Builder
	b.WriteString(prefix)
	up := true
	for _, r := range field {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = true
			continue
		}
		if up {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		up = false
	}
	return b.String() + "Qz"
}

// Values that must have a form of their own.
const (
	markedEmail = "zqxmarker.person@zqx-mail.test"
	markedPhone = "+88312345678909"
	markedIPv4  = "203.0.113.217"
	markedIPv6  = "2001:db8:9a7:4e::51d7"
	markedMedia = "https://media.test/zqx-portrait?sig=7c1f6e"
	markedBorn  = "1931-02-27"
	markedMRZ   = "P<UTOZQXMARKER<<MRZ<<<<"
)

// Secrets of the system that is scanned.
var (
	apiKey        = prefix + "ApiKey-3f9b61d07c"
	webhookSecret = prefix + "WebhookSecret-82a4"
	nextSecret    = prefix + "NextWebhookSecret-1c"
	bearer        = prefix + "BearerToken-90be"
	rawResult     = prefix + "ResultSecretOf32Byte-44"
	rawPayload    = sha256.Sum256([]byte(prefix)) // a key must look random
	resultSecret  = "whsec_" + base64.StdEncoding.EncodeToString([]byte(rawResult))
	payloadKeys   = "zqx1:" + base64.StdEncoding.EncodeToString(rawPayload[:])
	resultUser    = prefix + "ResultUser"
	resultPass    = prefix + "ResultPassword"
	resultQuery   = prefix + "ResultQuery"
)

// needle is one form of a marker.
type needle struct {
	class class
	text  []byte // in lower case
}

// personal are the fields that have a marker of their own.
var personal = []string{
	"first_name", "last_name", "document_number", "personal_number", "address", "gender", "issuing_state", "document_type", "comment",
	"reviewer", "short_description", "long_description", "user", "actor_display", "actor_email", "full_name", "extra", "status", "risk",
	"feature", "node_id", "detail", "code", "key", "vendor", "header", "cookie",
}

// needles are all forms of all markers. The cut-off prefix comes last, so that a whole marker gives its own name.
func needles(tokens, erased []string) []needle {
	var all []needle
	add := func(c class, text string) { all = append(all, forms(c, text)...) }
	for _, f := range personal {
		add(class(f), marker(f))
	}
	for c, v := range map[class]string{
		"email": markedEmail, "phone": markedPhone, "IPv4": markedIPv4, "IPv6": markedIPv6, "media URL": markedMedia,
		"date of birth": markedBorn, "MRZ": markedMRZ,
		classAPIKey: apiKey, classWebhookSecret: webhookSecret, classBearer: bearer, classResultSecret: rawResult,
		classPayloadKey: string(rawPayload[:]), classStranger: marker("stranger"), classAnswer: marker("answer"), classPanic: marker("panic"),
	} {
		add(c, v)
	}
	add(classWebhookSecret, nextSecret)
	for _, v := range []string{resultUser, resultPass, resultQuery} {
		add(classResultURL, v)
	}
	for _, t := range tokens {
		add(classSession, t)
	}
	for _, t := range erased {
		add(classErased, t)
	}
	add(classAny, prefix)
	return all
}

// forms are a text as it is, in a URL, in JSON, in hex, and in base64 wherever it may begin.
func forms(c class, text string) []needle {
	all := []string{text, url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text))}
	all = append(all, strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(text))
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			whole := enc.EncodeToString(append(make([]byte, before), text...))
			first, last := []int{0, 2, 3}[before], len(whole)/4*4 // characters that hold none of the neighbours' bits
			all = append(all, whole[first:last])
		}
	}
	var unique []needle
	seen := map[string]bool{}
	for _, form := range all {
		if low := lower([]byte(form)); !seen[string(low)] {
			seen[string(low)] = true
			unique = append(unique, needle{c, low})
		}
	}
	return unique
}

// sink is something that outlives a request.
type sink struct {
	name string
	data []byte
	may  []class // hold, as documented
}

// finding is a marker in a sink.
type finding struct {
	class   class
	sink    string
	context string
}

func (f finding) String() string { return fmt.Sprintf("%s in %s: %s", f.class, f.sink, f.context) }

// scan finds markers in sinks: the first of each class in each sink.
func scan(sinks []sink, all []needle) (found []finding) {
	for _, s := range sinks {
		low := lower(s.data)
		seen := map[class]bool{}
		for _, n := range all {
			if seen[n.class] || n.class == classAny && len(seen) > 0 {
				continue
			}
			at := bytes.Index(low, n.text)
			if at < 0 {
				continue
			}
			seen[n.class] = true
			if !slices.Contains(s.may, n.class) {
				found = append(found, finding{n.class, s.name, excerpt(s.data, at, len(n.text))})
			}
		}
	}
	return found
}

// lower leaves what is not ASCII as it is, for not everything is text.
func lower(b []byte) []byte {
	low := bytes.Clone(b)
	for i, c := range low {
		if c >= 'A' && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	return low
}

// otherMarkers may stand beside the one that was found.
var otherMarkers = regexp.MustCompile(`(?i)[a-z]*marker[a-z0-9]+`)

// excerpt is 40 bytes around a marker, and not the marker.
func excerpt(data []byte, at, length int) string {
	const around = 20
	before, after := data[max(0, at-around):at], data[at+length:min(len(data), at+length+around)]
	return fmt.Sprintf("%q", otherMarkers.ReplaceAllString(string(before)+"<marker>"+string(after), "<another>"))
}
