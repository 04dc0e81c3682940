package cli

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// verifications is what the commands need of ops.Client.
type verifications interface {
	Start(ctx context.Context, in kyc.Input) (kyc.Started, error)
	State(ctx context.Context, userID string) (kyc.State, error)
	Wait(ctx context.Context, userID string) (kyc.State, error)
	Timeline(ctx context.Context, userID string) ([]ops.Step, error)
	Operate(ctx context.Context, op kyc.Operation) (kyc.OperationResult, error)
	Refresh(ctx context.Context, userID string, r ops.Request) (kyc.State, error)
	Cancel(ctx context.Context, userID string, r ops.Request) (kyc.State, error)
	Setup(ctx context.Context) ([]ops.SearchAttribute, error)
	SearchAttributes(ctx context.Context) ([]ops.SearchAttribute, error)
	Retention(ctx context.Context) (time.Duration, error)
	SetupSweep(ctx context.Context) (made bool, err error)
	QueueLimit(ctx context.Context, queue string) (ops.QueueLimit, error)
	QueuePosition(ctx context.Context, p kyc.Priority) (ops.QueuePosition, error)
	Namespace() string
	OnCloud() bool
	Close()
}

// dialer connects to Temporal when a command needs it.
func dialer(load func() (client.Options, error)) func(context.Context) (verifications, error) {
	return func(ctx context.Context) (verifications, error) {
		o, err := load()
		if err != nil {
			return nil, usage(fmt.Errorf("read the TEMPORAL_ settings: %w", err))
		}
		c, err := ops.Dial(ctx, o)
		if err != nil {
			return nil, ofKind(failedTemporal, err)
		}
		return c, nil
	}
}
