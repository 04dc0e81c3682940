package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
)

// The checks at Didit.
const (
	checkBaseURL     = "didit address"
	checkReach       = "didit answers"
	checkClock       = "clock and Didit's"
	checkKey         = "didit key"
	checkEnvironment = "didit environment"
	checkFlow        = "didit workflow"
	checkBalance     = "didit balance"
	checkDestination = "webhook destination"
	checkSecret      = "webhook secret"
	checkPublic      = "webhook from outside"
)

var checksWithKey = []string{checkKey, checkEnvironment, checkFlow, checkBalance, checkDestination, checkSecret}

func (e *checker) atDidit(ctx context.Context) {
	all := append([]string{checkBaseURL, checkReach, checkClock}, checksWithKey...)
	defer e.fromOutside(ctx)
	switch {
	case !e.wants("worker"):
		e.skip("the key is the worker's: run this where the worker runs", all...)
		return
	case e.worker.DiditBaseURL == "":
		e.skip("DIDIT_BASE_URL is wrong", all...)
		return
	}
	e.baseURL()
	if !e.reach(ctx) {
		e.skip("Didit cannot be reached", append([]string{checkClock}, checksWithKey...)...)
		return
	}
	if e.worker.DiditAPIKey.Reveal() == "" {
		e.skip("there is no usable DIDIT_API_KEY", checksWithKey...)
		return
	}
	c, err := didit.NewClient(didit.ClientOptions{
		BaseURL: e.worker.DiditBaseURL, APIKey: e.worker.DiditAPIKey.Reveal(), Timeout: callTimeout,
	})
	if err != nil {
		e.fail(checkKey, err.Error(), "correct DIDIT_API_KEY")
		return
	}
	if !e.key(ctx, c) {
		e.skip("Didit refuses the key", checksWithKey[1:]...)
		return
	}
	e.flow(ctx, c)
	e.balance(ctx, c)
	e.destinations(ctx, c)
}

// baseURL finds addresses that answer and are wrong.
func (e *checker) baseURL() {
	base := e.worker.DiditBaseURL // checked and without a slash at the end
	u, err := url.Parse(base)
	if err != nil {
		e.skip("DIDIT_BASE_URL is wrong", checkBaseURL)
		return
	}
	standard := config.Default("DIDIT_BASE_URL")
	remedy := "remove DIDIT_BASE_URL, which then is " + standard
	last := u.Path[strings.LastIndex(u.Path, "/")+1:]
	switch {
	case strings.EqualFold(u.Hostname(), "apx.didit.me"):
		e.fail(checkBaseURL, base+" is Didit's account API: it knows no verifications", remedy)
	case len(last) == 2 && last[0] == 'v':
		e.fail(checkBaseURL, base+" ends with a version, which is put behind it once more", "remove /"+last+" from DIDIT_BASE_URL")
	case base == standard:
		e.ok(checkBaseURL, base)
	case strings.HasSuffix(strings.ToLower(u.Hostname()), "didit.me"):
		e.warn(checkBaseURL, base+" is not the documented host of the verification API", remedy)
	default:
		e.ok(checkBaseURL, base+", which is not Didit itself")
	}
}

// key asks what the worker asks most: a list of sessions, of which it reads one.
func (e *checker) key(ctx context.Context, c *didit.Client) bool {
	page, err := c.ListSessions(ctx, didit.ListSessionsRequest{Limit: 1})
	if err != nil {
		found, fix := explainDidit(err)
		e.fail(checkKey, found, fix)
		return false
	}
	e.ok(checkKey, "accepted")
	e.environment(ctx, c, page)
	return true
}

// environment compares ours with that of a session: Didit shows it nowhere else.
func (e *checker) environment(ctx context.Context, c *didit.Client, page didit.SessionPage) {
	if len(page.Sessions) == 0 {
		e.skip("Didit shows it in sessions only, and there is none yet", checkEnvironment)
		return
	}
	d, err := c.Decision(ctx, page.Sessions[0].ID)
	switch {
	case err != nil:
		found, _ := explainDidit(err)
		e.skip("cannot read a session: "+found, checkEnvironment)
	case d.Environment == "":
		e.skip("Didit's session has none", checkEnvironment)
	case e.worker.Environment == "":
		e.skip("DIDIT_ENVIRONMENT is wrong", checkEnvironment)
	case string(d.Environment) != string(e.worker.Environment):
		e.fail(checkEnvironment, fmt.Sprintf("the key's sessions are %s, DIDIT_ENVIRONMENT is %s: every verdict would be ignored", d.Environment, e.worker.Environment),
			fmt.Sprintf("set DIDIT_ENVIRONMENT=%s for worker and webhook, or use the key of the other application", d.Environment))
	default:
		e.ok(checkEnvironment, string(d.Environment))
	}
}

func (e *checker) flow(ctx context.Context, c *didit.Client) {
	want := e.worker.DiditWorkflowID
	if want == "" {
		e.skip("there is no usable DIDIT_WORKFLOW_ID", checkFlow)
		return
	}
	all, err := c.Flows(ctx)
	if err != nil {
		e.undecided(checkFlow, "list the workflows", err)
		return
	}
	var ids []string
	found, usable := didit.Flow{}, false
	for _, f := range all {
		if strings.EqualFold(f.ID, want) {
			found, usable = f, usable || f.Usable()
		} else if f.Usable() {
			ids = append(ids, fmt.Sprintf("%s %q", f.ID, f.Label))
		}
	}
	switch {
	case usable:
		e.ok(checkFlow, fmt.Sprintf("%s is %q", want, found.Label))
	case found.ID != "":
		e.fail(checkFlow, fmt.Sprintf("%s, %q, is not published or is archived", want, found.Label), "publish it in Didit's console, Workflows")
	default:
		e.fail(checkFlow, "Didit does not know "+want+" under this key", "set DIDIT_WORKFLOW_ID to one of the account: "+cmp.Or(strings.Join(ids, ", "), "it has none yet"))
	}
}

func (e *checker) balance(ctx context.Context, c *didit.Client) {
	b, err := c.Balance(ctx)
	if err != nil {
		e.undecided(checkBalance, "read the balance", err)
		return
	}
	amount, err := strconv.ParseFloat(b.Amount, 64)
	switch {
	case err != nil:
		e.skip("Didit's balance is no number", checkBalance)
	case amount > 0:
		e.ok(checkBalance, b.Amount+" US dollars")
	case e.worker.Environment == config.Sandbox:
		e.ok(checkBalance, b.Amount+" US dollars; a sandbox costs nothing")
	case b.AutoRefill:
		e.warn(checkBalance, b.Amount+" US dollars, with automatic refill", "see in Didit's console, Billing, why it has not been refilled")
	default:
		e.fail(checkBalance, b.Amount+" US dollars: Didit creates no session", "top up in Didit's console, Billing")
	}
}

// undecided skips a check that the key may not make: workers do not need it.
func (e *checker) undecided(check, what string, err error) {
	if a, ok := errors.AsType[*didit.APIError](err); ok && (a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized) {
		e.skip(fmt.Sprintf("the key has no right to %s (status %d)", what, a.StatusCode), check)
		return
	}
	found, fix := explainDidit(err)
	e.fail(check, found, fix)
}

// explainDidit says what failed and what to do: Didit refused, or a fault on the network.
func explainDidit(err error) (found, fix string) {
	a, ok := errors.AsType[*didit.APIError](err)
	if !ok {
		return err.Error(), howToReachDidit(err)
	}
	switch cause := a.Cause(); cause {
	case didit.CauseKey, didit.CausePermission:
		return "Didit refuses the key: " + a.Error(), cause.Advice()
	case didit.CauseLimit:
		return a.Error(), "other calls use up the limit of this key: wait a minute, or as long as Retry-After says, and see docs/operations/limits.md"
	case didit.CauseUnavailable:
		return a.Error(), "Didit is unavailable: try again later, and see its status page"
	default:
		return a.Error(), cause.Advice()
	}
}
