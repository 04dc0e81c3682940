package kyc

import (
	"context"
	"errors"
	"fmt"
	"regexp"
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
	case errors.As(err, new(*serviceerror.PermissionDenied)):
		return "Temporal refuses this process; check TEMPORAL_API_KEY or the client certificate, and its rights in TEMPORAL_NAMESPACE"
	case errors.As(err, new(*serviceerror.ResourceExhausted)):
		return "Temporal's rate limit is reached; wait, and raise the namespace's limit if this comes back"
	case noPoller(err):
		return "no worker polls for verifications; start one in this namespace, or read the log of the one that runs"
	}
	return handshakeCause(err)
}

// reaching is how the SDK begins an error of its first call, in Dial.
const reaching = "failed reaching server: "

// handshakes are what gRPC says of a TLS connection that fails: it keeps nothing else of the error below it.
var handshakes = []struct {
	text  *regexp.Regexp
	cause string
}{
	{regexp.MustCompile(`remote error: tls: .*certificate`), "Temporal refuses this process's certificate, or gets none; " +
		"check TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"},
	{regexp.MustCompile(`x509: .*( valid for|cannot validate certificate)`), "Temporal's certificate is for another name; " +
		"set TEMPORAL_TLS_SERVER_NAME to a name in it, or check TEMPORAL_ADDRESS"},
	{regexp.MustCompile(`failed to verify certificate`), "Temporal's certificate is not trusted; " +
		"check TEMPORAL_TLS_SERVER_CA_CERT_PATH, and that the certificate has not expired"},
	// With TLS 1.3 a client may find the connection closed before it reads why. Later than in Dial that is an outage.
	{regexp.MustCompile(`^` + reaching + `.*(broken pipe|connection reset by peer|server preface)`), "Temporal closes the connection at once; " +
		"check whether it wants TLS, or a certificate: TEMPORAL_TLS, TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"},
}

func handshakeCause(err error) string {
	away, ok := errors.AsType[*serviceerror.Unavailable](err)
	if !ok {
		return ""
	}
	text := away.Message
	if i := strings.Index(err.Error(), reaching); i >= 0 {
		text = err.Error()[i:]
	}
	for _, h := range handshakes {
		if h.text.MatchString(text) {
			return h.cause
		}
	}
	return ""
}

// OfTemporal reports whether an error of the Client comes from Temporal: it refused, was unreachable, or no worker answered.
func OfTemporal(err error) bool {
	return errors.As(err, new(serviceerror.ServiceError)) || errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError)) ||
		errors.Is(err, context.DeadlineExceeded) || Cause(err) != ""
}

// noPoller reports whether no worker polls: the server then fails queries at once.
func noPoller(err error) bool {
	failed, ok := errors.AsType[*serviceerror.FailedPrecondition](err)
	return ok && strings.Contains(failed.Message, "no poller")
}
