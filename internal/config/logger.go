package config

import (
	"io"
	"log/slog"
)

// NewLogger returns a logger that writes one line per record to w. Times are in UTC, so that lines of machines in different
// zones sort together.
func NewLogger(w io.Writer, level slog.Level, format LogFormat) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: uniform}
	if format == Text {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// sdkKeys maps the keys of Temporal's SDK to those of our own lines, so that one search finds both.
var sdkKeys = map[string]string{
	"WorkflowID": "workflow_id", "RunID": "run_id", "WorkflowType": "workflow_type", "ActivityID": "activity_id",
	"ActivityType": "activity_type", "Attempt": "attempt", "TaskQueue": "queue", "Namespace": "namespace", "WorkerID": "worker_id",
	"Error": "error", "UpdateID": "update_id", "UpdateName": "update",
}

func uniform(_ []string, a slog.Attr) slog.Attr {
	if ours, known := sdkKeys[a.Key]; known {
		a.Key = ours
	}
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}
