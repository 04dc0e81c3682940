package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

// flow settles DIDIT_WORKFLOW_ID.
func (s *diditSetup) flow(ctx context.Context) error {
	const name = "DIDIT_WORKFLOW_ID"
	want := strings.ToLower(s.o.workflowID)
	if want == "" {
		if have, err := s.adopt(name); have != "" {
			return err
		}
	} else if _, err := uuid.Parse(want); err != nil || len(want) != 36 {
		return fmt.Errorf("--workflow-id is not a UUID: take the id of a workflow from %s", console)
	}
	all, err := s.api.Flows(ctx)
	if err != nil {
		return s.refused("list the workflows", err)
	}
	chosen, err := chooseFlow(all, want)
	if errors.Is(err, errNoFlow) && want == "" {
		chosen, err = s.makeFlow(ctx)
	}
	if err != nil {
		return err
	}
	return s.keep(name, chosen.ID, fmt.Sprintf("%s, %q", chosen.ID, chosen.Label))
}

// standardFlow checks a document, that the person is alive, and that both have one face.
var standardFlow = didit.CreateFlowRequest{
	Label: "Identity (document, liveness, face match)", Features: []didit.Feature{{Name: "OCR"}, {Name: "LIVENESS"}, {Name: "FACE_MATCH"}},
}

// makeFlow makes the standard flow, if --flow or an answer says so. Didit makes another one with each call, so after a
// lost answer the list decides.
func (s *diditSetup) makeFlow(ctx context.Context) (didit.Flow, error) {
	if !s.o.makeFlow {
		answer, err := s.ask.line(ctx, "The account has no published workflow. Make one that checks document, liveness and face match? [y/N]")
		if err != nil && !errors.Is(err, errNoAnswer) {
			return didit.Flow{}, err
		}
		if yes := strings.ToLower(answer); yes != "y" && yes != "yes" {
			return didit.Flow{}, errNoFlow
		}
	}
	made, err := s.api.CreateFlow(ctx, standardFlow)
	if _, answered := errors.AsType[*didit.APIError](err); err == nil || answered || ctx.Err() != nil {
		return made, err
	}
	fmt.Fprintf(s.stderr, "%v\nThe answer was lost: the list of workflows decides\n", err)
	all, err := s.api.Flows(ctx)
	if err != nil {
		return didit.Flow{}, s.refused("list the workflows", err)
	}
	return chooseFlow(all, "")
}

var errNoFlow = errors.New("the account has no workflow that is published: give --flow to have one made, or build one in " +
	"Didit's console (https://business.didit.me, Workflows), publish it, and run the command again")

// chooseFlow takes the one that was asked for, or the only one.
func chooseFlow(all []didit.Flow, want string) (didit.Flow, error) {
	usable := usableFlows(all)
	for _, f := range usable {
		if want != "" && strings.EqualFold(f.ID, want) {
			return f, nil
		}
	}
	switch {
	case len(usable) == 0:
		return didit.Flow{}, errNoFlow
	case want != "":
		return didit.Flow{}, fmt.Errorf("the account has no published workflow %s; it has:\n%s", want, flowList(usable))
	case len(usable) > 1:
		return didit.Flow{}, fmt.Errorf("the account has %d workflows: choose one with --workflow-id ID\n%s", len(usable), flowList(usable))
	}
	return usable[0], nil
}

// usableFlows are those that sessions can be made with, each once: versions share an id.
func usableFlows(all []didit.Flow) []didit.Flow {
	var usable []didit.Flow
	seen := map[string]bool{}
	for _, f := range all {
		if f.Usable() && !seen[f.ID] {
			seen[f.ID] = true
			usable = append(usable, f)
		}
	}
	return usable
}

func flowList(flows []didit.Flow) string {
	lines := make([]string, len(flows))
	for i, f := range flows {
		lines[i] = fmt.Sprintf("  %s  %q", f.ID, f.Label)
		if f.Default {
			lines[i] += "  (the account's default)"
		}
	}
	return strings.Join(lines, "\n")
}
