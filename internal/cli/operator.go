package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// operatorFlags are those of the commands by which an operator acts on a user.
type operatorFlags struct {
	userID  string
	by      kyc.Operator
	id      string
	timeout time.Duration
	output  choice
}

func (f *operatorFlags) add(cmd *cobra.Command) {
	f.output = newOutput()
	flags := cmd.Flags()
	flags.StringVarP(&f.userID, "user", "u", "", "your id of the user (required)")
	flags.StringVar(&f.by.Actor, "actor", "", "who does it: your name in your directory (required)")
	flags.StringVar(&f.by.Reason, "reason", "", "why: a code and a ticket such as documents-checked:CASE-1042, never free text about a person (required)")
	flags.StringVar(&f.id, "id", "", "a UUID; the same one joins an earlier call instead of asking again (default: a new one)")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait for the answer")
	f.output.add(cmd, "output", "o", "how to print")
	required(cmd, "user", "actor", "reason")
}

// check validates the flags before any call, and makes sure that there is an id to join again.
func (f *operatorFlags) check() error {
	if f.id == "" {
		f.id = uuid.NewString()
	}
	if uuid.Validate(f.id) != nil || len(f.id) != 36 { // not as a URN or in braces: it becomes part of a workflow's id
		return usage(errors.New("--id is not a UUID; want one such as 11111111-2222-4333-8444-555555555555"))
	}
	return errors.Join(check(kyc.Input{UserID: f.userID}), invalid("--", f.by.Validate()), checkTimeout(f.timeout))
}

// act is withUser for an action: its errors say how to join what goes on.
func (t *tool) act(ctx context.Context, f *operatorFlags, ask func(context.Context, verifications) error) error {
	if err := f.check(); err != nil {
		return err
	}
	return t.withUser(ctx, f.userID, f.timeout, func(timed context.Context, v verifications) error {
		err := ask(timed, v)
		switch {
		case err == nil, errors.As(err, new(*ops.OperationError)), errors.Is(err, kyc.ErrNotFound):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("%w; what has started goes on: the same command with --id %s joins it", errInterrupted, f.id)
		case timed.Err() != nil:
			return ofKind(failedTemporal, fmt.Errorf("no answer within %s; what has started goes on, and the same command with --id %s joins it\n"+
				"is a worker running, and does Didit answer?", f.timeout, f.id))
		}
		return err
	})
}

// operationJSON adds the id of the workflow.
type operationJSON struct {
	kyc.OperationResult
	WorkflowID string `json:"workflow_id"`
}

// operate carries out an operator action and prints its result.
func (t *tool) operate(ctx context.Context, f *operatorFlags, op kyc.Operation, rows func(r kyc.OperationResult, by, workflowID string) [][2]string) error {
	return t.act(ctx, f, func(ctx context.Context, v verifications) error {
		op.UserID, op.Operator, op.ID = f.userID, f.by, f.id
		r, err := v.Operate(ctx, op)
		if err != nil {
			return err
		}
		id := kyc.OperationID(op.UserID, op.Verb, op.ID)
		if f.output.value == jsonOut {
			return writeJSON(t.stdout, operationJSON{r, id})
		}
		return writeTable(t.stdout, rows(r, op.String(), id))
	})
}
