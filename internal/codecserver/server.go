// Package codecserver decrypts payloads for the Web UI and Temporal's command line, which call it over HTTP in the protocol
// of Temporal's codec servers: https://docs.temporal.io/codec-server. It keeps nothing and logs no payload.
package codecserver

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/internal/httpstatus"
)

// maxBody is more than the Web UI sends at once: a page of history is at most 4 MB, and a third more in base64.
const maxBody = 8 << 20

// Options configures New. Codec and Log are required.
type Options struct {
	Codec   converter.PayloadCodec
	Tokens  []string // each is accepted, as a bearer token or at /login; none: no authentication
	Origins []string // of the pages that may call; exact
	Log     *slog.Logger
	Now     func() time.Time  // default: time.Now
	Guessed func(slowed bool) // counts wrong tokens; slowed ones were not compared; default: not counted
}

type server struct {
	o       Options
	guesses *guesses
	secure  bool // all Web UIs have TLS, and so this server must have it too
}

// New returns the routes.
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Guessed == nil {
		o.Guessed = func(bool) {}
	}
	s := &server{o: o, guesses: newGuesses(o.Now), secure: !slices.ContainsFunc(o.Origins, func(origin string) bool { return !strings.HasPrefix(origin, "https://") })}
	mux := http.NewServeMux()
	codec := converter.NewPayloadCodecHTTPHandler(noted{o.Codec, o.Log})
	for _, path := range paths {
		mux.Handle("POST "+path, s.fromOrigins(s.authenticated(bounded(codec))))
		mux.Handle("OPTIONS "+path, s.fromOrigins(http.HandlerFunc(preflight)))
	}
	login := http.NewCrossOriginProtection()
	mux.Handle("GET /login", http.HandlerFunc(s.loginPage))
	mux.Handle("POST /login", login.Handler(http.HandlerFunc(s.login)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	return s.logged(hardened(mux))
}

// paths are where payloads are sent; /encode is for a workflow or a signal that is made in the Web UI.
var paths = []string{"/decode", "/encode"}

// fromOrigins refuses other pages whatever credentials they send, and lets the browser show the answer to ours. Clients that
// are no page send no Origin.
func (s *server) fromOrigins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin != "" {
			if !slices.Contains(s.o.Origins, origin) {
				http.Error(w, "this origin is not allowed: see CODEC_ORIGINS", http.StatusForbidden)
				return
			}
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
		}
		next.ServeHTTP(w, r)
	})
}

// preflight answers CORS preflight requests.
func preflight(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type, X-Namespace, Authorization, Authorization-Extras")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// bounded reads a body of bounded size and the right type before anything is parsed.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			http.Error(w, "want Content-Type: application/json", http.StatusUnsupportedMediaType)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the body did not arrive", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// hardened sets the security headers of every answer.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// logged writes a line for each request: its sender, never its content.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, status := s.o.Now(), httpstatus.Of(w)
		next.ServeHTTP(status, r)
		namespace := r.Header.Get("X-Namespace")
		s.o.Log.Info("request", "method", r.Method, "path", r.URL.Path, "status", status.Status, "namespace", namespace[:min(len(namespace), 64)],
			"from", r.RemoteAddr, "took", s.o.Now().Sub(began))
	})
}

// noted logs why a payload could not be read; the codec's errors name keys by their ids and hold nothing of a payload.
type noted struct {
	converter.PayloadCodec
	log *slog.Logger
}

// Decode implements converter.PayloadCodec.
func (n noted) Decode(in []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out, err := n.PayloadCodec.Decode(in)
	if err != nil {
		n.log.Warn("payloads cannot be decrypted", "error", err)
	}
	return out, err
}
