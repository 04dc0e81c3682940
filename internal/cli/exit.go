package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// failure is a kind of failure: its word is for programs, its code the exit code of the process.
type failure struct {
	word    string
	code    int
	meaning string
}

// The kinds of failure. Words and codes are part of what scripts rely on: added, never changed.
var (
	failedOtherwise   = failure{"error", 1, "any other error"}
	failedUsage       = failure{"usage", 2, "a flag, a file or a setting is wrong; nothing was done"}
	failedNotFound    = failure{"not_found", 3, "the user has no verification"}
	failedTemporal    = failure{"temporal", 4, "Temporal cannot be reached, refuses, or no worker answers"}
	failedRefused     = failure{"refused", 5, "Didit, a rule or the verification does not allow it"}
	failedUnhealthy   = failure{"unhealthy", 6, "doctor: a check failed"}
	failedPartly      = failure{"partly", 7, "bulk: some users failed"}
	failedInterrupted = failure{"interrupted", 130, "Ctrl-C or SIGTERM; what has started goes on"}
)

var failures = []failure{
	failedOtherwise, failedUsage, failedNotFound, failedTemporal, failedRefused, failedUnhealthy, failedPartly, failedInterrupted,
}

// exitCodes is the part of the help that lists them.
func exitCodes() string {
	var b strings.Builder
	b.WriteString("Exit code:\n  0    the command succeeded, whatever the verdict on the user is\n")
	for _, f := range failures {
		fmt.Fprintf(&b, "  %-4d %s\n", f.code, f.meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

// kindError gives an error a kind where its type has none.
type kindError struct {
	error
	kind failure
}

// Unwrap returns the error itself.
func (e kindError) Unwrap() error { return e.error }

func usage(err error) error { return ofKind(failedUsage, err) }

func ofKind(kind failure, err error) error {
	if err == nil {
		return nil
	}
	return kindError{err, kind}
}

// kindOf classifies an error of any command.
func kindOf(err error) failure {
	classified, ok := errors.AsType[kindError](err)
	switch {
	case errors.Is(err, errInterrupted):
		return failedInterrupted
	case ok:
		return classified.kind
	case errors.Is(err, kyc.ErrNotFound):
		return failedNotFound
	case errors.Is(err, kyc.ErrInvalidInput):
		return failedUsage
	case errors.As(err, new(*kyc.SessionError)), errors.As(err, new(*ops.OperationError)),
		errors.As(err, new(*kyc.RunError)), errors.As(err, new(*kyc.FlowError)):
		return failedRefused
	case kyc.OfTemporal(err):
		return failedTemporal
	}
	return failedOtherwise
}

// errorJSON is an error for programs.
type errorJSON struct {
	Kind      string `json:"kind"`
	ExitCode  int    `json:"exit_code"`
	Message   string `json:"message"`
	Cause     string `json:"cause,omitempty"`      // what caused it, and what to do
	ErrorType string `json:"error_type,omitempty"` // one of kyc's
}

// Report prints the error that Run returned, as JSON where the arguments ask for JSON, and returns the exit code.
func Report(stderr io.Writer, args []string, err error) int {
	if err == nil {
		return 0
	}
	kind, cause := kindOf(err), kyc.Cause(err)
	if !wantsJSON(args) {
		fmt.Fprintf(stderr, "starter: %v\n", err)
		if cause != "" {
			fmt.Fprintf(stderr, "%s\n", cause)
		}
		return kind.code
	}
	out := errorJSON{Kind: kind.word, ExitCode: kind.code, Message: err.Error(), Cause: cause, ErrorType: sessionErrorType(err)}
	_ = writeJSON(stderr, map[string]errorJSON{"error": out}) // there is no other place to report it
	return kind.code
}

// sessionErrorType is the kind of a final failure to make a session, empty for anything else.
func sessionErrorType(err error) string {
	if final, ok := errors.AsType[*kyc.SessionError](err); ok {
		return final.Type
	}
	return ""
}

// wantsJSON reads the arguments themselves: what is wrong may be a flag.
func wantsJSON(args []string) bool {
	for i, a := range args {
		switch a {
		case "-o=json", "-ojson", "--output=json":
			return true
		case "-o", "--output":
			if i+1 < len(args) && args[i+1] == jsonOut {
				return true
			}
		}
	}
	return false
}
