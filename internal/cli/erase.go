package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"didit-temporal/kyc"
)

const eraseLong = `Erase a user at Didit and Temporal, for good: the open verification ends as
erased, every session of the user at Didit is deleted with its face (503s are
tried again until it is done), then the user itself, then the user's workflows.
What stays is one workflow with the actor, the reason and the counts.
Running it again finds what is left, or nothing.

Data under a legal hold must not be erased, so on a terminal it asks, and wants the
user id typed. Elsewhere it wants --yes --no-legal-hold.

What Didit keeps all the same, and what else may have copies: docs/guides/erase.md.`

const eraseExample = `  starter erase --user u1 --actor jo --reason request-of-the-person:CASE-12
  starter erase --user u1 --actor jo --reason account-closed:CASE-9 --yes --no-legal-hold -o json`

// eraseTimeout is longer than that of other operator actions: Temporal deletes a run some minutes after its end.
const eraseTimeout = 10 * time.Minute

func (t *tool) eraseCommand() *cobra.Command {
	f := &operatorFlags{}
	var yes, noHold bool
	cmd := &cobra.Command{
		Use:     "erase --user USER --actor WHO --reason CODE:TICKET",
		Short:   "Erase a user at Didit and Temporal",
		Long:    eraseLong,
		Example: eraseExample,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if err := t.confirmErasure(cmd.Context(), f.userID, yes, noHold); err != nil {
				return err
			}
			return t.operate(cmd.Context(), f, kyc.Operation{Verb: kyc.VerbErase, LegalHoldChecked: true}, erasureRows)
		},
	}
	f.add(cmd)
	f.timeout = eraseTimeout
	cmd.Flags().Lookup("timeout").DefValue = eraseTimeout.String()
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask; needs --no-legal-hold")
	cmd.Flags().BoolVar(&noHold, "no-legal-hold", false, "you have made sure that no law requires this user's data; needs --yes")
	return cmd
}

const eraseQuestion = `This deletes all that Didit and Temporal have of user %[1]s. It cannot be undone.
Is there a legal hold on this user's data: a court case, an authority's request, a report that
must be kept? If there is, or if you do not know, stop here (Ctrl-C).
If there is none, type the user id to go on:`

// confirmErasure makes sure that the operator has checked for a legal hold.
func (t *tool) confirmErasure(ctx context.Context, userID string, yes, noHold bool) error {
	switch {
	case yes && noHold:
		return nil
	case yes:
		return errors.New("--yes needs --no-legal-hold: make sure that no law requires this user's data, then add it")
	case noHold:
		return errors.New("--no-legal-hold needs --yes: nothing is erased without it")
	case !t.interactive:
		return errors.New("this is no terminal to ask on: make sure that there is no legal hold on this user's data, then add --yes --no-legal-hold")
	}
	line, err := newPrompt(t.stdin, t.stderr).line(ctx, fmt.Sprintf(eraseQuestion, userID))
	switch {
	case errors.Is(err, errInterrupted):
		return fmt.Errorf("%w; nothing is erased", err)
	case line != userID: // also a line that is cut short
		return errors.New("that is not the user id; nothing is erased")
	}
	return nil
}

func erasureRows(r kyc.OperationResult, by, workflowID string) [][2]string {
	var e kyc.Erased
	if r.Erased != nil {
		e = *r.Erased
	}
	erased, user, ended := "yes", "deleted", "no"
	switch {
	case e.UserKept:
		user = "kept, for another user whose id differs only in upper and lower case"
	case e.Users == 0:
		user = "there was none"
	}
	if r.Already {
		erased = "nothing was left"
	}
	if e.Ended {
		ended = "yes"
	}
	return [][2]string{
		{"user", r.UserID}, {"erased", erased}, {"sessions at Didit", strconv.Itoa(e.Sessions)}, {"user at Didit", user},
		{"was open", ended}, {"workflows", strconv.Itoa(e.Runs)}, {"by", by}, {"record", workflowID},
	}
}
