package receiver

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// Stray is why a request to the port was no webhook.
type Stray string

// The reasons. Didit neither repeats nor reports what ends in one of these, so each is counted and logged.
const (
	StrayPath    Stray = "path"         // no route of ours
	StrayMethod  Stray = "method"       // not with this method
	StrayHeaders Stray = "headers"      // more than the server reads: 431
	StrayProxy   Stray = "proxy_header" // a PROXY protocol header: the load balancer must not send one
	StrayTLS     Stray = "tls"          // TLS to a port that speaks plain HTTP
	StrayRequest Stray = "request"      // not HTTP
)

// Strays lists the reasons.
func Strays() []Stray {
	return []Stray{StrayPath, StrayMethod, StrayHeaders, StrayProxy, StrayTLS, StrayRequest}
}

// Stray counts and logs a request that was no webhook. It is for those that the HTTP server refuses before a handler runs;
// path is empty where none could be read.
func (r *Receiver) Stray(why Stray, code int, path string) {
	r.o.Misrouted(why)
	attrs := []slog.Attr{slog.String("reason", string(why)), slog.Int("code", code)}
	if path != "" {
		attrs = append(attrs, slog.String("path", shape(path)), slog.String("want", "POST "+Path))
	}
	r.o.Log.LogAttrs(context.Background(), slog.LevelWarn, "a request that is no webhook", attrs...)
}

func (r *Receiver) stray(c *gin.Context, why Stray) {
	code := http.StatusNotFound
	if why == StrayMethod {
		code = http.StatusMethodNotAllowed
	}
	r.Stray(why, code, c.Request.URL.Path)
	c.JSON(code, gin.H{"error": "this is not POST " + Path})
}

// shape shows how a path differs from ours. Words that are not of our own paths are stars, because a stranger may write
// anything.
func shape(path string) string {
	known := []string{"", "webhooks", "webhook", "didit", "healthz", "readyz", "livez", "metrics", "api", "hooks", "v1"}
	words := strings.Split(path, "/")
	if len(words) > 8 {
		words = append(words[:8], "*")
	}
	for i, w := range words {
		if !slices.Contains(known, strings.ToLower(w)) {
			words[i] = "*"
		}
	}
	return strings.Join(words, "/")
}
