// Package ops is what operators, erasures and workers need of Temporal beside package kyc: operator actions, a user's
// timeline, the queues for Didit and their limits, the schedule of sweeps, and the setup of a namespace.
package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"didit-temporal/kyc"
)

// Client is a kyc.Client with the operations of this package. It is safe for concurrent use.
type Client struct {
	*kyc.Client
	cloud bool
}

// New returns a Client that shares the connection of c.
func New(c *kyc.Client) *Client { return &Client{Client: c} }

// Dial connects to Temporal. It logs nothing: what matters is returned as an error.
func Dial(ctx context.Context, o client.Options) (*Client, error) {
	o.Logger = slog.New(slog.DiscardHandler)
	c, err := kyc.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Client{c, OnCloud(o)}, nil
}

// OnCloud reports whether a connection of Dial reaches Temporal Cloud.
func (c *Client) OnCloud() bool { return c.cloud }

// userError says what failed for which user. It names the user, as kyc does in its own errors.
func userError(what, userID string, err error) error {
	if isNotFound(err) {
		err = kyc.ErrNotFound
	}
	return fmt.Errorf("%s user %s: %w", what, userID, err)
}

func isNotFound(err error) bool {
	return errors.As(err, new(*serviceerror.NotFound)) || errors.Is(err, kyc.ErrNotFound)
}
