package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
)

// logServerErrors writes the messages of srv about itself to our log.
func logServerErrors(srv *http.Server, log *slog.Logger) {
	srv.ErrorLog = slog.NewLogLogger(serverErrors{log.Handler()}, slog.LevelWarn)
}

// serverErrors drops from a line of the server what may come from a peer: addresses, headers, the value of a panic.
type serverErrors struct{ slog.Handler }

func (c serverErrors) Handle(ctx context.Context, r slog.Record) error {
	log, text := slog.New(c.Handler), r.Message
	switch {
	case strings.HasPrefix(text, "http: Accept error: "): // about our own socket, such as too many open files
		log.ErrorContext(ctx, "the http server accepts no connections", "error", strings.TrimPrefix(text, "http: Accept error: "))
	case strings.HasPrefix(text, "http: panic serving "):
		log.ErrorContext(ctx, "panic in the http server", "stack", stack(text))
	case strings.HasPrefix(text, "http: superfluous "): // names a line of our code
		log.WarnContext(ctx, "the http server reports an error", "error", text)
	default:
		log.WarnContext(ctx, "the http server reports an error", "error", "of a kind that may quote a peer")
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
