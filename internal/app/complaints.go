package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
)

// complaints makes srv say into our log what it has to say about itself.
func complaints(srv *http.Server, log *slog.Logger) {
	srv.ErrorLog = slog.NewLogLogger(complaint{log.Handler()}, slog.LevelWarn)
}

// complaint logs a line of the server's without what may come from a peer: addresses, headers, the value of a panic.
type complaint struct{ slog.Handler }

func (c complaint) Handle(ctx context.Context, r slog.Record) error {
	log, text := slog.New(c.Handler), r.Message
	switch {
	case strings.HasPrefix(text, "http: Accept error: "): // about our own socket, such as too many open files
		log.ErrorContext(ctx, "the http server takes no connections", "error", strings.TrimPrefix(text, "http: Accept error: "))
	case strings.HasPrefix(text, "http: panic serving "):
		log.ErrorContext(ctx, "panic in the http server", "stack", stack(text))
	case strings.HasPrefix(text, "http: superfluous "): // names a line of our code
		log.WarnContext(ctx, "the http server complains", "error", text)
	default:
		log.WarnContext(ctx, "the http server complains", "error", "of a kind that may quote a peer")
	}
	return nil
}

// stack is what follows the value of a panic, which may have any number of lines.
func stack(text string) string {
	if i := strings.LastIndex(text, "\ngoroutine "); i >= 0 {
		return text[i+1:]
	}
	return ""
}
