// Package ops is what operators, erasures and workers need of Temporal beside package kyc: operator actions, a user's
// timeline, the queues for Didit and their limits, the schedule of sweeps, and the setup of a namespace.
package ops

import (
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"

	"didit-temporal/kyc"
)

// Client is a kyc.Client with the operations of this package. It is safe for concurrent use.
type Client struct{ *kyc.Client }

// New returns a Client that shares the connection of c.
func New(c *kyc.Client) *Client { return &Client{c} }

// userError says what failed for which user. It names the user, as kyc does in its own errors.
func userError(what, userID string, err error) error {
	if isNotFound(err) {
		err = kyc.ErrNotFound
	}
	return fmt.Errorf("%s user %s: %w", what, userID, err)
}

func isNotFound(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone) || errors.Is(err, kyc.ErrNotFound)
}
