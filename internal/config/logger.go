package config

import (
	"context"
	"io"
	"log/slog"
)

// NewLogger writes one line per record to w. Times are in UTC, so that lines of machines in different zones
// sort together.
func NewLogger(w io.Writer, level slog.Level, format LogFormat) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if format == Text {
		return slog.New(uniform{slog.NewTextHandler(w, opts)})
	}
	return slog.New(uniform{slog.NewJSONHandler(w, opts)})
}

// sdkKeys are those of Temporal's SDK in the words of our own lines, so that one search finds both.
var sdkKeys = map[string]string{
	"WorkflowID": "workflow_id", "RunID": "run_id", "WorkflowType": "workflow_type", "ActivityID": "activity_id",
	"ActivityType": "activity_type", "Attempt": "attempt", "TaskQueue": "queue", "Namespace": "namespace", "WorkerID": "worker_id",
	"Error": "error", "UpdateID": "update_id", "UpdateName": "update",
}

// uniform mends what is not in our words. Our own lines, of which a flood of forged webhooks makes many, pass as they are:
// slog's own ReplaceAttr would double what they cost.
type uniform struct{ slog.Handler }

// Handle writes a record.
func (u uniform) Handle(ctx context.Context, r slog.Record) error {
	r.Time = r.Time.UTC()
	fine := true
	r.Attrs(func(a slog.Attr) bool {
		fine = isUniform(a)
		return fine
	})
	if fine {
		return u.Handler.Handle(ctx, r)
	}
	mended := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		mended.AddAttrs(mend(a))
		return true
	})
	return u.Handler.Handle(ctx, mended)
}

// WithAttrs mends them once.
func (u uniform) WithAttrs(attrs []slog.Attr) slog.Handler {
	return uniform{u.Handler.WithAttrs(mendAll(attrs))}
}

// WithGroup keeps the words.
func (u uniform) WithGroup(name string) slog.Handler { return uniform{u.Handler.WithGroup(name)} }

func isUniform(a slog.Attr) bool {
	if _, known := sdkKeys[a.Key]; known {
		return false
	}
	kind := a.Value.Kind()
	return kind != slog.KindTime && kind != slog.KindGroup && kind != slog.KindLogValuer
}

func mend(a slog.Attr) slog.Attr {
	if ours, known := sdkKeys[a.Key]; known {
		a.Key = ours
	}
	switch a.Value = a.Value.Resolve(); a.Value.Kind() {
	case slog.KindTime:
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	case slog.KindGroup:
		a.Value = slog.GroupValue(mendAll(a.Value.Group())...)
	}
	return a
}

func mendAll(attrs []slog.Attr) []slog.Attr {
	mended := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		mended[i] = mend(a)
	}
	return mended
}
