package cli

import (
	"github.com/spf13/cobra"

	"didit-temporal/kyc"
)

const decideLong = `Set the status of a user's session at Didit, as a reviewer in Didit's console
would, whether the verification is open or has ended. The verification gets
it from Didit, like any decision.

approved and declined are final; resubmitted asks the user to come back, with the
same URL. Didit allows it for a session that is Approved, Declined, In Review,
Kyc Expired, Abandoned or Resubmitted; any other is refused before Didit is
asked. A session that has the status already is left alone.

Who did it and why is kept in Temporal and in Didit's list of reviews.`

const decideExample = `  starter decide --user u1 --status approved --actor jo --reason documents-checked:CASE-1042
  starter decide --user u1 --status declined --actor jo --reason fraud:CASE-7 -o json
  starter decide --user u1 --status resubmitted --actor jo --reason blurred:CASE-8`

// verbs are the operator's words for the new status.
var verbs = map[string]kyc.Verb{"approved": kyc.VerbApprove, "declined": kyc.VerbDecline, "resubmitted": kyc.VerbResubmit}

func (t *tool) decideCommand() *cobra.Command {
	f, status := &operatorFlags{}, choice{words: []string{"approved", "declined", "resubmitted"}}
	var session string
	cmd := &cobra.Command{
		Use:     "decide --user USER --status STATUS --actor WHO --reason CODE:TICKET",
		Short:   "Approve or decline a user by hand, or ask the user to come back",
		Long:    decideLong,
		Example: decideExample,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.operate(cmd.Context(), f, kyc.Operation{Verb: verbs[status.value], SessionID: session}, decisionRows)
		},
	}
	f.add(cmd)
	status.add(cmd, "status", "", "the new status (required)")
	cmd.Flags().StringVar(&session, "session", "", "Didit's id of the session (default: that of the user's newest verification)")
	required(cmd, "status")
	return cmd
}

func decisionRows(r kyc.OperationResult, by, workflowID string) [][2]string {
	done := "yes"
	if r.Already {
		done = "no, it was so already"
	}
	return [][2]string{
		{"user", r.UserID}, {"session", r.SessionID}, {"before", string(r.Before)}, {"after", string(r.After)},
		{"changed", done}, {"by", by}, {"workflow", workflowID},
	}
}
