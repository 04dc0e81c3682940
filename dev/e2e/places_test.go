package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// place is where an operator gives an order. It returns why it was refused; empty if it was not.
type place func(user, verb, reason string) string

// commandLine is the starter.
func (s *system) commandLine(starter string) place {
	return func(user, verb, reason string) string {
		command := map[string][]string{
			"approve": {"decide", "--status", "approved"}, "decline": {"decide", "--status", "declined"},
			"resubmit": {"decide", "--status", "resubmitted"}, "refresh": {"refresh"}, "cancel": {"cancel"},
			"erase": {"erase", "--yes", "--no-legal-hold"},
		}[verb]
		out, errs, code := s.exec(starter, append(command, "--user", user, "--actor", "jo", "--reason", reason)...)
		if code == 0 {
			return ""
		}
		return out + errs
	}
}

// webUI is what Temporal's page sends.
func (b *browser) webUI() place {
	return func(user, verb, reason string) string {
		who := `"actor": "jo", "reason": "` + reason + `"}`
		if verb == "refresh" || verb == "cancel" {
			code, answer := b.post(url.PathEscape(kyc.WorkflowID(user))+"/update/"+verb, map[string]any{
				"request": map[string]any{
					"meta": map[string]string{"updateId": uuid.NewString()}, "input": map[string]any{"name": verb, "args": payloads("{" + who)},
				},
				"waitPolicy": map[string]string{"lifecycleStage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"},
			})
			if code == 200 && strings.Contains(answer, `"success"`) {
				return ""
			}
			return answer
		}
		id := kyc.OperationID(user, kyc.Verb(verb), uuid.NewString())
		b.startWorkflow(id, `{"legal_hold_checked": true, "user_id": "`+user+`", "verb": "`+verb+`", `+who)
		ctx := b.within(5 * timeout)
		if err := b.Temporal().GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
			return err.Error()
		}
		return ""
	}
}

var verbs = []struct {
	verb, button string // no button: the link was never opened
	closed       bool
	refused      string
	outcome      kyc.Outcome
}{
	{"approve", "review", false, "", kyc.OutcomeApproved},
	{"approve", "decline", true, "", kyc.OutcomeApproved},
	{"approve", "", false, "Not Started", ""},
	{"decline", "review", false, "", kyc.OutcomeDeclined},
	{"decline", "approve", true, "", kyc.OutcomeDeclined},
	{"decline", "", false, "Not Started", ""},
	{"resubmit", "review", false, "", ""},
	{"resubmit", "decline", true, "", ""},
	{"resubmit", "", false, "Not Started", ""},
	{"refresh", "review", false, "", ""},
	{"refresh", "approve", true, "has ended|already completed", kyc.OutcomeApproved},
	{"cancel", "review", false, "", kyc.OutcomeCancelled},
	{"cancel", "decline", true, "has ended|already completed", kyc.OutcomeDeclined},
	{"erase", "review", false, "", kyc.OutcomeErased},
	{"erase", "approve", true, "", kyc.OutcomeErased},
}

// Each order works from each place, on open and closed verifications, is refused where it must be, and can be read later
// with who gave it and why.
func TestEveryVerbFromEveryPlace(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, starter := start(t, options{server: tserver.Options{UI: true}}), build(t, "starter")
	for from, order := range map[string]place{"cli": s.commandLine(starter), "ui": s.browser().webUI()} {
		for i, tc := range verbs {
			user, reason := fmt.Sprintf("%s-%d-%s", from, i, tc.verb), fmt.Sprintf("checked:CASE-%d", i)
			t.Run(user, func(t *testing.T) {
				if tc.button == "" {
					s.begin(user)
				} else {
					s.bring(user, tc.button, tc.closed)
				}
				refusal := order(user, tc.verb, reason)
				require.Equal(t, tc.refused == "", refusal == "", refusal)
				require.Regexp(t, tc.refused, refusal)
				if tc.verb == "erase" {
					_, err := s.State(s.within(timeout), user)
					require.ErrorIs(t, err, kyc.ErrNotFound)
				} else {
					s.eventually(func() bool { return s.stateOf(user).Outcome == tc.outcome }, "the outcome "+string(tc.outcome))
				}
				if tc.verb == "resubmit" && tc.refused == "" {
					s.status(user, didit.StatusResubmitted)
				}
				if tc.closed && (tc.verb == "refresh" || tc.verb == "cancel") {
					return // refused at once: nothing was done
				}
				s.eventually(func() bool { // the visibility store lags a little
					story, err := s.Timeline(s.within(timeout), user)
					return err == nil && has(story, ops.Step{What: ops.StepAction, Actor: "jo", Reason: reason, Note: tc.verb})
				}, "who and why, in the story")
			})
		}
	}
}
