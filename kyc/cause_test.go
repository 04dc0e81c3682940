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
		"no worker":                                 {serviceerror.NewFailedPrecondition("no poller seen for task queue recently, worker may be down"), "no worker polls", "start one"},
	} {
		got := kyc.Cause(fmt.Errorf("start the verification of user u1: %w", tc.err))
		assert.Contains(t, got, tc.want, name)
		assert.Contains(t, got, tc.do, name)
	}
	for _, err := range []error{nil, errors.New("x"), context.DeadlineExceeded, serviceerror.NewUnavailable("x"), serviceerror.NewInvalidArgument("x"), kyc.ErrNotFound} {
		assert.Empty(t, kyc.Cause(err))
	}
}
