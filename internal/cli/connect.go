package cli

import (
	"context"
	"fmt"
	"log/slog"

	"go.temporal.io/sdk/client"

	"didit-temporal/kyc"
)

// verifications is what the commands need of kyc.Client.
type verifications interface {
	Start(ctx context.Context, in kyc.Input) (kyc.Started, error)
	State(ctx context.Context, userID string) (kyc.State, error)
	Wait(ctx context.Context, userID string) (kyc.State, error)
	Story(ctx context.Context, userID string) ([]kyc.Step, error)
	Operate(ctx context.Context, op kyc.Operation) (kyc.OperationResult, error)
	Refresh(ctx context.Context, userID string, r kyc.Request) (kyc.State, error)
	Cancel(ctx context.Context, userID string, r kyc.Request) (kyc.State, error)
	Setup(ctx context.Context) ([]kyc.SearchAttribute, error)
	SearchAttributes(ctx context.Context) ([]kyc.SearchAttribute, error)
	SetupSweep(ctx context.Context) (made bool, err error)
	QueueLimit(ctx context.Context, queue string) (kyc.QueueLimit, error)
	Turn(ctx context.Context, p kyc.Priority) (kyc.Turn, error)
	Namespace() string
	Close()
}

// dialer connects to Temporal when a command needs it.
func dialer(load func() (client.Options, error)) func(context.Context) (verifications, error) {
	return func(ctx context.Context) (verifications, error) {
		o, err := load()
		if err != nil {
			return nil, usage(fmt.Errorf("read the TEMPORAL_ settings: %w", err))
		}
		o.Logger = slog.New(slog.DiscardHandler) // what matters is returned as an error
		c, err := kyc.Dial(ctx, o)
		if err != nil {
			return nil, ofKind(failedTemporal, err)
		}
		return c, nil
	}
}
