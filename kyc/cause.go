package kyc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"didit-temporal/kyc/codec"
)

// Cause returns the cause of an error of the Client and what to do, for errors that an operator must act on: "what; what to
// do". It is empty for any other error, such as a transient one.
func Cause(err error) string {
	var key *codec.UnknownKeyError
	var missing *serviceerror.NamespaceNotFound
	var argument *serviceerror.InvalidArgument
	var denied *serviceerror.PermissionDenied
	var busy *serviceerror.ResourceExhausted
	switch {
	case err == nil:
		return ""
	case errors.As(err, &key):
		return fmt.Sprintf("this process lacks the payload key %q, with which the answer is encrypted; give it the worker's PAYLOAD_KEYS and restart it", key.ID)
	case errors.Is(err, codec.ErrDamaged):
		return "the answer does not decrypt with the payload key of its id; give this process the worker's PAYLOAD_KEYS and restart it"
	case errors.As(err, &missing):
		return fmt.Sprintf("Temporal has no namespace %q; check TEMPORAL_NAMESPACE, or create it with "+
			"`temporal operator namespace create --retention 720h %s` and run `starter setup`", missing.Namespace, missing.Namespace)
	case errors.As(err, &argument) && strings.Contains(strings.ToLower(argument.Message), "search attribute"):
		return "the namespace lacks search attributes of this version; run `starter setup` once"
	case errors.As(err, &denied):
		return "Temporal refuses this process; check TEMPORAL_API_KEY or the client certificate, and its rights in TEMPORAL_NAMESPACE"
	case errors.As(err, &busy):
		return "Temporal's rate limit is reached; wait, and raise the namespace's limit if this comes back"
	case noPoller(err):
		return "no worker polls for verifications; start one in this namespace, or read the log of the one that runs"
	}
	return ""
}

// OfTemporal reports whether an error of the Client comes from Temporal: it refused, was unreachable, or no worker answered.
func OfTemporal(err error) bool {
	var answered serviceerror.ServiceError
	var late *client.WorkflowUpdateServiceTimeoutOrCanceledError
	return errors.As(err, &answered) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded) || Cause(err) != ""
}

// noPoller reports whether no worker polls: the server then fails queries at once.
func noPoller(err error) bool {
	var failed *serviceerror.FailedPrecondition
	return errors.As(err, &failed) && strings.Contains(failed.Message, "no poller")
}
