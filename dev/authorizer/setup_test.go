//go:build !race

package authorizer_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/ops"
)

// Who may neither register nor list search attributes finds out by queries which ones are there; who may only list them finds
// them by their names.
func TestWhoMayNotRegisterSearchAttributesSeesWhichOnesAreMissing(t *testing.T) {
	s := server(t)
	for _, role := range []role{asAPI, asWorker} {
		c := ops.New(as(t, s, role))
		found, err := c.Setup(t.Context())
		require.True(t, ops.Denied(err), "%s: %v", role, err)
		assert.NotEmpty(t, found)
		assert.False(t, slices.ContainsFunc(found, func(a ops.SearchAttribute) bool { return !a.Missing() }), "%s: %v", role, found)
		require.ErrorContains(t, c.CheckSetup(t.Context()), "lacks the search attributes KycStatus, ")
	}
	_, err := ops.New(as(t, s, asOperator)).Setup(t.Context())
	require.NoError(t, err)
	for _, role := range []role{asAPI, asWorker} {
		require.NoError(t, ops.New(as(t, s, role)).CheckSetup(t.Context()), role)
	}
}
