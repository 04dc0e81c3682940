package metrics

import (
	"net/http"
	"time"
)

// Requests counts and times the requests of the HTTP API. route names one without its ids; an empty route is not counted.
func (m *Metrics) Requests(next http.Handler, route func(*http.Request) string) http.Handler {
	m.registry.MustRegister(m.requests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := route(r)
		if name == "" {
			next.ServeHTTP(w, r)
			return
		}
		began, status := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		m.requests.WithLabelValues(method(r.Method), name, code(status.status)).Observe(time.Since(began).Seconds())
	})
}

// method keeps what a stranger may invent out of a label.
func method(m string) string {
	if m == http.MethodGet || m == http.MethodPost {
		return m
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
