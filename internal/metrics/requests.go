package metrics

import (
	"net/http"
	"time"

	"didit-temporal/internal/httpstatus"
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
		began, status := time.Now(), httpstatus.Of(w)
		next.ServeHTTP(status, r)
		m.requests.WithLabelValues(method(r.Method), name, code(status.Status)).Observe(time.Since(began).Seconds())
	})
}

// method bounds the values of the label: a stranger may send any method.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
		return m
	}
	return "other"
}
