package diditsim

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// maxRequest bounds the body of a call.
const maxRequest = 1 << 20

// answer is what an API call is answered with: a status code and a body for JSON. A rawBody goes out as it is.
type answer struct {
	code int
	body any
	wait time.Duration // becomes Retry-After; 0 is none
}

// rawBody is a body that is no JSON.
type rawBody struct{ media, text string }

// handler answers a call with s.mu held.
type handler func(r *http.Request, body []byte) answer

// api makes an HTTP handler of f. The network is used before and after f, never during.
func (s *Server) api(f handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		a := *detail(http.StatusRequestEntityTooLarge, "Request body is too large.")
		if err == nil {
			a = s.locked(f, r, body)
		}
		media := "application/json"
		var text []byte
		if raw, ok := a.body.(rawBody); ok {
			media, text = raw.media, []byte(raw.text)
		} else if text, err = s.edited(r.Pattern, a.body); err != nil {
			a.code, text = http.StatusInternalServerError, nil // Didit's own 500s may have no JSON either
		}
		if a.wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(a.wait.Seconds()))))
		}
		w.Header().Set("Content-Type", media)
		w.WriteHeader(a.code)
		_, _ = w.Write(text)
	}
}

func (s *Server) locked(f handler, r *http.Request, body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(r, body)
}

// keyed makes an HTTP handler of f for calls whose key fits.
func (s *Server) keyed(f handler) http.HandlerFunc {
	return s.api(func(r *http.Request, body []byte) answer {
		if no := s.refuse(r); no != nil {
			return *no
		}
		return f(r, body)
	})
}

// ofSession makes an HTTP handler of f for calls whose key fits and whose path names a session.
func (s *Server) ofSession(f func(x *session, r *http.Request, body []byte) answer) http.HandlerFunc {
	return s.keyed(func(r *http.Request, body []byte) answer {
		x, no := s.find(r)
		if no != nil {
			return *no
		}
		return f(x, r, body)
	})
}

// refuse is the answer to a call whose key does not fit, else nil. Didit's sources disagree. This is the newest,
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

// find looks up the session of the path; the answer is nil if there is one.
func (s *Server) find(r *http.Request) (*session, *answer) {
	x, ok := s.byID[r.PathValue("id")]
	if !ok || x.app != s.appOf(r) {
		return nil, notFound()
	}
	return x, nil
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

// tooMany is a 429 with the time to wait.
func tooMany(text string, wait time.Duration) answer {
	a := *detail(http.StatusTooManyRequests, text)
	a.wait = wait
	return a
}

func notFound() *answer { return detail(http.StatusNotFound, "Not found.") }

// invalid is a 400 in the shape {"field": [reason]}. A reason is a text, or for a field that is a list, the
// reasons for one of its items (docs/reference/didit.md).
func invalid(field string, reason any) *answer {
	return &answer{code: http.StatusBadRequest, body: map[string][]any{field: {reason}}}
}

// notAChoice is the text that Didit has for a value that is not in its list.
func notAChoice(value string) string { return `"` + value + `" is not a valid choice.` }

// health is GET /system/healthcheck, which needs no key.
func (s *Server) health(*http.Request, []byte) answer {
	return answer{code: http.StatusOK, body: map[string]string{"status": "ok", "timestamp": isoTime(s.opts.Now())}}
}

func isoTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// textOrNull and rawOrNull show what is not set as null.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func rawOrNull(m json.RawMessage) any {
	if len(m) == 0 {
		return nil
	}
	return m
}
