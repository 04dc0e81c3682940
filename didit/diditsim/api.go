package diditsim

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRequest bounds the body of a call.
const maxRequest = 1 << 20

// answer is the status code of an API call and its body, which becomes JSON. A rawBody is sent as it is.
type answer struct {
	code  int
	body  any
	delay time.Duration // becomes Retry-After; 0 is none
}

// rawBody is a body that is no JSON.
type rawBody struct{ media, text string }

func ok(body any) *answer      { return &answer{code: http.StatusOK, body: body} }
func created(body any) *answer { return &answer{code: http.StatusCreated, body: body} }
func deleted() *answer         { return &answer{code: http.StatusNoContent, body: rawBody{}} }

// handler answers a call about x, which its path or its key names. It runs with s.mu held.
type handler[X any] func(x X, r *http.Request, body []byte) *answer

// decoded makes a handler of f, which takes the body as a B.
func decoded[X, B any](f func(x X, r *http.Request, b B) *answer) handler[X] {
	return func(x X, r *http.Request, body []byte) *answer {
		var b B
		if no := decode(body, &b); no != nil {
			return no
		}
		return f(x, r, b)
	}
}

// named makes a handler of f for calls whose path names an X of their application. What find does not find is a 404.
func named[X comparable](find func(*application, *http.Request) X, f handler[X]) handler[*application] {
	return func(app *application, r *http.Request, body []byte) *answer {
		var none X
		x := find(app, r)
		if x == none {
			return notFound()
		}
		return f(x, r, body)
	}
}

// show is the GET of one X.
func show[X interface{ shown() map[string]any }](x X, _ *http.Request, _ []byte) *answer {
	return ok(x.shown())
}

// keyed makes an HTTP handler of f for calls with a valid key, whose application f gets.
func (s *Server) keyed(f handler[*application]) http.HandlerFunc {
	return s.api(func(_ *Server, r *http.Request, body []byte) *answer {
		if no := s.refuse(r); no != nil {
			return no
		}
		return f(s.appOf(r), r, body)
	})
}

// api makes an HTTP handler of f for calls without a key. The network is used before and after f, never during.
func (s *Server) api(f handler[*Server]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		a := detail(http.StatusRequestEntityTooLarge, "Request body is too large.")
		if err == nil {
			a = s.locked(f, r, body)
		}
		s.write(w, r, *a)
	}
}

func (s *Server) locked(f handler[*Server], r *http.Request, body []byte) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(s, r, body)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a answer) {
	raw, isRaw := a.body.(rawBody)
	if !isRaw {
		text, err := json.Marshal(s.edited(r.Pattern, a.body))
		if err != nil {
			a.code = http.StatusInternalServerError // Didit's own 500s may have no JSON either
		}
		raw = rawBody{"application/json", string(text)}
	}
	if a.delay > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(a.delay)))
	}
	w.Header().Set("Content-Type", raw.media)
	w.WriteHeader(a.code)
	_, _ = io.WriteString(w, raw.text)
}

// refuse is the answer to a call without a valid key, else nil. Didit's sources disagree. This is the newest,
// https://docs.didit.me/integration/api-errors of November 2026: 401 for a wrong key, 403 for none. Older
// material has 403 for both.
func (s *Server) refuse(r *http.Request) *answer {
	key := r.Header.Get("x-api-key")
	switch {
	case key == "":
		return detail(http.StatusForbidden, "Authentication credentials were not provided or are invalid.")
	case s.appOf(r) != nil:
		return nil
	case s.opts.APIKey != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.opts.APIKey)) != 1:
		return detail(http.StatusUnauthorized, "Invalid API key.")
	}
	return nil
}

// decode reads body into v; the answer is nil if it can. An empty body leaves v as it is.
func decode(body []byte, v any) *answer {
	if len(body) == 0 {
		return nil
	}
	err := json.Unmarshal(body, v)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && te.Field != "" {
		return invalid(te.Field, "Not a valid value.")
	}
	if err != nil {
		return detail(http.StatusBadRequest, "JSON parse error.")
	}
	return nil
}

// detail is an answer in the shape {"detail": "..."}.
func detail(code int, text string) *answer {
	return &answer{code: code, body: map[string]string{"detail": text}}
}

// tooMany is a 429 with a Retry-After.
func tooMany(text string, delay time.Duration) *answer {
	a := detail(http.StatusTooManyRequests, text)
	a.delay = delay
	return a
}

func notFound() *answer { return detail(http.StatusNotFound, "Not found.") }

// invalid is a 400 in the shape {"field": [reason]}. A reason is a text, or for a field that is a list, the
// reasons for one of its items (docs/reference/didit.md).
func invalid(field string, reason any) *answer {
	return &answer{code: http.StatusBadRequest, body: map[string][]any{field: {reason}}}
}

// notAChoice is Didit's text for a value that is not in its list.
func notAChoice(value string) string { return `"` + value + `" is not a valid choice.` }

// health is GET /system/healthcheck, which needs no key.
func (s *Server) health(*Server, *http.Request, []byte) *answer {
	return ok(map[string]string{"status": "ok", "timestamp": isoTime(s.opts.Now())})
}

func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func isoTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// orNull shows what is not set as null.
func orNull[T ~string | ~[]byte](v T) any {
	if len(v) == 0 {
		return nil
	}
	return v
}

// EditWebhook names, for Options.Edit, the body of a webhook, before it is signed.
const EditWebhook = "webhook"

// edited is a body after Options.Edit. What is no JSON object stays as it is.
func (s *Server) edited(what string, body any) any {
	plain, err := json.Marshal(body)
	var fields map[string]any
	if s.opts.Edit == nil || err != nil || json.Unmarshal(plain, &fields) != nil {
		return body
	}
	s.opts.Edit(strings.TrimSuffix(what, "{$}"), fields)
	return fields
}
