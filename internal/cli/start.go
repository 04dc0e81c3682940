package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

const startLong = `Start the verification of one user and print the session and the URL that the
user must open.

Run it again as often as you like: a verification that is open is joined (same
session, same URL); a user who was approved or declined before gets that verdict
and no URL, unless --reverify is set; one whose verification ended without a
verdict is started afresh.

The URL is a secret: it lets anyone act as the user.

With -o json each object is one line. With --wait there are two: the session at
once, the verdict at the end.`

const startExample = `  starter start --user u1
  starter start --user u1 --language pt-BR --return-url https://shop.example/welcome
  starter start --user u1 --wait
  starter start --user u1 -o json | jq -r .url
  starter start --user u1 --reverify     verify again, although there is a verdict`

type startFlags struct {
	in       kyc.Input
	priority choice
	output   choice
	wait     bool
	timeout  time.Duration
}

func (t *tool) startCommand() *cobra.Command {
	f := startFlags{priority: newPriority(kyc.PriorityInteractive), output: newOutput()}
	cmd := &cobra.Command{
		Use:     "start --user USER",
		Short:   "Verify one user: print the URL to open",
		Long:    startLong,
		Example: startExample,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.start(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.in.UserID, "user", "u", "", "your id of the user, opaque: never an e-mail address or a name (required)")
	flags.StringVar(&f.in.WorkflowID, "workflow-id", "", "Didit's flow (default: the worker's DIDIT_WORKFLOW_ID)")
	flags.StringVar(&f.in.Language, "language", "", "language of Didit's page, such as en or pt-BR (default: the browser's)")
	flags.StringVar(&f.in.ReturnURL, "return-url", "", "where Didit sends the browser afterwards, absolute http(s)")
	flags.BoolVar(&f.in.Reverify, "reverify", false, "start a new verification of a user who was approved or declined before")
	flags.BoolVar(&f.wait, "wait", false, "wait for the verdict, however long it takes, and print it")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait for the URL")
	f.priority.add(cmd, "priority", "", "who goes first when Didit's limit makes users wait")
	f.output.add(cmd, "output", "o", "how to print")
	required(cmd, "user")
	return cmd
}

func (t *tool) start(ctx context.Context, f startFlags) error {
	f.in.Priority = kyc.Priority(f.priority.value)
	if err := errors.Join(check(f.in), checkTimeout(f.timeout)); err != nil {
		return err
	}
	v, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	s, err := t.startWithEstimate(ctx, v, f)
	if err != nil {
		return err
	}
	if err := t.printStarted(f.output.value, f.in.UserID, s); err != nil {
		return err
	}
	if !f.wait || decidedBefore(s) {
		return nil
	}
	return t.waitForVerdict(ctx, v, f, s)
}

func (t *tool) waitForVerdict(ctx context.Context, v verifications, f startFlags, s kyc.Started) error {
	fmt.Fprintln(t.stderr, "waiting for the verdict; Ctrl-C ends the wait, not the verification")
	state, err := v.Wait(ctx, f.in.UserID)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w; the verification goes on: `starter status --user %s` shows it", errInterrupted, f.in.UserID)
	}
	if err != nil {
		return err
	}
	if f.output.value == jsonOut {
		s.State = state
		return t.printStarted(jsonOut, f.in.UserID, s)
	}
	fmt.Fprintln(t.stdout)
	return t.printState(table, f.in.UserID, state)
}

// startOne starts one verification. Its error says what to do when the session is not ready in time.
func startOne(ctx context.Context, v verifications, in kyc.Input, timeout time.Duration) (kyc.Started, error) {
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s, err := v.Start(timed, in)
	switch {
	case err == nil, errors.As(err, new(*kyc.SessionError)):
		return s, err
	case ctx.Err() != nil:
		return s, fmt.Errorf("%w; if the verification has started it goes on: run the same command again for its URL", errInterrupted)
	case timed.Err() == nil && !errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError)):
		return s, err
	case s.RunID == "":
		return s, ofKind(failedTemporal, fmt.Errorf("no answer within %s: is a worker running? Run the same command again for the URL (%w)", timeout, err))
	}
	return s, ofKind(failedTemporal, fmt.Errorf("no session within %s: it waits for Didit's rate limit, or Didit does not answer. "+
		"The verification goes on; run the same command again for its URL, with a longer --timeout if necessary", timeout))
}

// decidedBefore reports whether there was a verdict already and so no session was asked for.
func decidedBefore(s kyc.Started) bool { return s.Session.SessionID == "" }

// etaAfter is how long the URL may take before the estimate is printed.
const etaAfter = time.Second

// startWithEstimate is startOne, and prints the estimated wait.
func (t *tool) startWithEstimate(ctx context.Context, v verifications, f startFlags) (kyc.Started, error) {
	position, unknown := v.QueuePosition(ctx, f.in.Priority) // before the start: now the calls ahead are counted, not those behind
	waiting, done := context.WithCancel(ctx)
	var printing sync.WaitGroup
	printing.Go(func() {
		select {
		case <-waiting.Done():
		case <-t.after(etaAfter):
			if unknown == nil {
				fmt.Fprintln(t.stderr, waitingLine(position, t.now()))
			}
		}
	})
	s, err := startOne(ctx, v, f.in, f.timeout)
	done()
	printing.Wait()
	return s, err
}

func waitingLine(position ops.QueuePosition, now time.Time) string {
	left, known := position.ETA(now)
	switch {
	case !known:
		return "waiting: an operator has paused the calls to Didit; `starter setup` shows who"
	case position.Ahead == 0:
		return "waiting for Didit or for a worker; no user is ahead"
	}
	return fmt.Sprintf("waiting for Didit's rate limit: %d ahead, about %s", position.Ahead, left.Round(time.Second))
}
