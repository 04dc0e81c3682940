package cli

import (
	"context"

	"github.com/spf13/cobra"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const cancelLong = `End a user's open verification as cancelled. A session that the user has not
opened is deleted at Didit; any other stays there with its evidence, and if the
user or a reviewer goes on with it, a verdict on it is reported as a late update.

A verification that has ended is refused. A caller that waits for the URL gets an
error: cancelled.`

const cancelExample = `  starter cancel --user u1 --actor jo --reason account-closed:CASE-9`

const refreshLong = `Make a user's open verification read Didit's decision now, and print its state. It
does so by itself when Didit sends a webhook, and polls when none arrives. Use this
when a user is waiting.`

const refreshExample = `  starter refresh --user u1 --actor jo --reason asked-by-phone:CASE-3`

func (t *tool) cancelCommand() *cobra.Command {
	return t.updateCommand("cancel", "End a user's verification", cancelLong, cancelExample, verifications.Cancel)
}

func (t *tool) refreshCommand() *cobra.Command {
	return t.updateCommand("refresh", "Read Didit's decision now", refreshLong, refreshExample, verifications.Refresh)
}

func (t *tool) updateCommand(name, short, long, example string,
	send func(v verifications, ctx context.Context, userID string, r ops.Request) (kyc.State, error)) *cobra.Command {
	f := &operatorFlags{}
	cmd := &cobra.Command{
		Use:     name + " --user USER --actor WHO --reason CODE:TICKET",
		Short:   short,
		Long:    long,
		Example: example,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.act(cmd.Context(), f, func(ctx context.Context, v verifications) error {
				state, err := send(v, ctx, f.userID, ops.Request{Operator: f.by, ID: f.id})
				if err != nil {
					return err
				}
				return t.printState(f.output.value, f.userID, state)
			})
		},
	}
	f.add(cmd)
	return cmd
}
