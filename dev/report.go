package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"didit-temporal/dev/stack"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

// demo is a user, started so that there is something to see.
const demo = "demo"

// report says what runs where and what to do next: one line for a parent process, a page for a person.
func report(ctx context.Context, w io.Writer, s *stack.Stack, o stack.Options, leash bool) error {
	var waiting *links
	if len(o.Only) == 0 && o.Real == nil { // a real verification costs money: nothing starts by itself
		l, err := startDemo(ctx, s, o)
		if err != nil {
			return err
		}
		waiting = &l
	}
	if leash {
		if waiting != nil {
			s.Addresses = append(s.Addresses, stack.Address{Key: "open", Value: waiting.open}, stack.Address{Key: "watch", Value: waiting.watch})
		}
		return s.WriteReady(w)
	}
	page := banner(o.Real)
	for _, a := range s.Addresses {
		page += fmt.Sprintf("  %-10s %s\n", a.Title, a.Value)
	}
	page += "\n"
	switch {
	case waiting != nil:
		page += waiting.page()
	case o.Real != nil:
		page += realPage(s, o.Real)
	case s.Address("simulator") != "":
		page += handPage(s)
	}
	if o.DBFile == "" {
		page += "State is in memory and ends with this process (-db FILE keeps it). "
	} else {
		page += "Temporal's state is kept in " + o.DBFile + ". "
	}
	_, err := fmt.Fprintln(w, page+"Ctrl-C stops everything.")
	return err
}

// links lead to a verification that waits for its user.
type links struct{ open, watch, api, starter string }

func (l links) page() string {
	return fmt.Sprintf(`A verification waits for its user:

  1. open as the user:      %s
  2. press Approve
  3. watch the workflow:    %s

More users, in another terminal:  make build && %s start --user u2 --wait
The same over HTTP:               curl %s%s -H "Authorization: Bearer %s" --json '{"user_id": "u3"}'

`, l.open, orNone(l.watch), l.starter, l.api, api.Path, stack.APIToken)
}

// starter is the command that finds the Temporal that runs here.
func starter(s *stack.Stack) string {
	if a := s.Address("temporal"); a != config.Default("TEMPORAL_ADDRESS") {
		return "TEMPORAL_ADDRESS=" + a + " bin/starter"
	}
	return "bin/starter"
}

func orNone(link string) string {
	if link == "" {
		return "(-ui=false: no Web UI)"
	}
	return link
}

// startDemo starts one verification, through the same client as a signup service.
func startDemo(ctx context.Context, s *stack.Stack, o stack.Options) (links, error) {
	c, err := s.Client(ctx)
	if err != nil {
		return links{}, err
	}
	user := demo
	if o.DBFile != "" { // a kept state may hold the last one, whose session the simulator has forgotten
		user += time.Now().Format("-20060102-150405")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	started, err := c.Start(ctx, kyc.Input{UserID: user})
	if err != nil {
		return links{}, err
	}
	l := links{open: started.Session.URL, api: s.Address("api"), starter: starter(s)}
	if ui := s.Address("ui"); ui != "" {
		l.watch = fmt.Sprintf("%s/namespaces/%s/workflows/%s", ui, c.Namespace(), kyc.WorkflowID(user))
	}
	return l, nil
}

// handPage is for processes that are started by hand beside the simulator, as in production, or killed.
func handPage(s *stack.Stack) string {
	page := "Start the rest by hand, with this environment:\n\n"
	for _, setting := range s.HandSettings() {
		page += "  export " + setting + "\n"
	}
	return page + `
  go run ./starter setup
  go run ./worker          # in one terminal
  go run ./webhook         # in another
  go run ./starter serve   # in a third, if signup services call the HTTP API
  go run ./starter start --user u1 --wait

Or open an account first, as at the real Didit: go run ./starter setup didit (docs/quickstart.md, "From nothing"; -verbose shows the code).

`
}
