package kyc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/api/serviceerror"

	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// unreachable is an error of a connection whose TLS handshake fails, as gRPC writes it.
func unreachable(why string) error {
	return serviceerror.NewUnavailable(`connection error: desc = "transport: authentication handshake failed: ` + why + `"`)
}

func TestAnErrorThatAnOperatorMustFixNamesItsCause(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string // part of the cause, and of what to do
		do   string
	}{
		"search attributes that are not registered": {serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute KycStatus"), "lacks search attributes", "run `starter setup`"},
		"a payload key that only the worker has":    {&codec.UnknownKeyError{ID: "k1"}, `lacks the payload key "k1"`, "the worker's PAYLOAD_KEYS"},
		"a payload key of the same id":              {codec.ErrDamaged, "does not decrypt", "the worker's PAYLOAD_KEYS"},
		"a namespace that does not exist":           {serviceerror.NewNamespaceNotFound("kyc-x"), `no namespace "kyc-x"`, "check TEMPORAL_NAMESPACE"},
		"no rights":                                 {serviceerror.NewPermissionDenied("no", ""), "refuses this process", "check TEMPORAL_API_KEY"},
		"a certificate that Temporal refuses":       {unreachable("error reading server preface: remote error: tls: unknown certificate authority"), "refuses this process's certificate", "check TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"no certificate":                            {unreachable("error reading server preface: remote error: tls: certificate required"), "or gets none", "check TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"a server of another CA":                    {unreachable("tls: failed to verify certificate: x509: certificate signed by unknown authority"), "is not trusted", "check TEMPORAL_TLS_SERVER_CA_CERT_PATH"},
		"a server's certificate that has expired":   {unreachable("tls: failed to verify certificate: x509: certificate has expired or is not yet valid"), "is not trusted", "has not expired"},
		"a server of another name":                  {unreachable("tls: failed to verify certificate: x509: certificate is valid for a.example, not b.example"), "for another name", "set TEMPORAL_TLS_SERVER_NAME"},
		"a server of no name":                       {unreachable("tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match b.example"), "for another name", "set TEMPORAL_TLS_SERVER_NAME"},
		"a server of no address":                    {unreachable("tls: failed to verify certificate: x509: cannot validate certificate for 10.0.0.7 because it doesn't contain any IP SANs"), "for another name", "set TEMPORAL_TLS_SERVER_NAME"},
		"a connection that Temporal closes":         {fmt.Errorf("failed reaching server: %w", serviceerror.NewUnavailable("write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe")), "closes the connection at once", "TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"no worker":                                 {serviceerror.NewFailedPrecondition("no poller seen for task queue recently, worker may be down"), "no worker polls", "start one"},
	} {
		got := kyc.Cause(fmt.Errorf("start the verification of user u1: %w", tc.err))
		assert.Contains(t, got, tc.want, name)
		assert.Contains(t, got, tc.do, name)
	}
	for _, err := range []error{nil, errors.New("x"), context.DeadlineExceeded, serviceerror.NewUnavailable("x"), unreachable("EOF"), serviceerror.NewUnavailable("connection reset by peer"), errors.New("remote error: tls: bad certificate"), serviceerror.NewInvalidArgument("x"), kyc.ErrNotFound} {
		assert.Empty(t, kyc.Cause(err))
	}
}
