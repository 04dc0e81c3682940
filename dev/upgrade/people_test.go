package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"didit-temporal/dev/audit"
	"didit-temporal/dev/harness"
	"didit-temporal/dev/hosted"
	"didit-temporal/didit"
)

// The steps of a person; the last one is the reviewer's.
const (
	signUp = iota
	openPage
	finish
	review
	steps
)

// person takes each step in a phase of the upgrade, at a pace of its own.
type person struct {
	id       string
	reviewed bool
	verdict  didit.Status
	phase    [steps]int
	pause    [steps]time.Duration
	url      string
}

// people draws n persons, so that in every phase some are at every step.
func people(n, phases int) []*person {
	r := rand.New(rand.NewPCG(*seed, 1))
	all := make([]*person, n)
	for i := range all {
		p := &person{id: fmt.Sprintf("u%04d", i), reviewed: r.IntN(3) == 0, verdict: didit.StatusApproved}
		if r.IntN(3) == 0 {
			p.verdict = didit.StatusDeclined
		}
		for j := range p.phase {
			p.phase[j], p.pause[j] = r.IntN(phases), time.Duration(r.Int64N(int64(2*time.Second)))
		}
		slices.Sort(p.phase[:])
		all[i] = p
	}
	return all
}

var buttons = map[didit.Status]string{didit.StatusApproved: "approve", didit.StatusDeclined: "decline"}

// in lists the person's steps of a phase.
func (p *person) in(phase int) (all []int) {
	for step, when := range p.phase {
		if when == phase && (step != review || p.reviewed) {
			all = append(all, step)
		}
	}
	return all
}

// live takes the person's steps of a phase.
func (s *system) live(ctx context.Context, p *person, phase int) error {
	for _, step := range p.in(phase) {
		select { // the person's pace, not a wait for anything
		case <-time.After(p.pause[step]):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.step(ctx, p, step); err != nil {
			return fmt.Errorf("%s, step %d: %w", p.id, step, err)
		}
		s.taken.Add(1)
	}
	return nil
}

func (s *system) step(ctx context.Context, p *person, step int) (err error) {
	switch step {
	case signUp:
		p.url, err = audit.Retry(ctx, func(ctx context.Context) (string, error) { return s.signUp(ctx, p.id) })
	case openPage:
		err = hosted.Open(ctx, p.url)
	case finish:
		button := buttons[p.verdict]
		if p.reviewed {
			button = "review"
		}
		err = hosted.Press(ctx, p.url, button)
	case review:
		err = s.sim.SetStatus(s.sim.SessionsOf(p.id)[0].ID, p.verdict)
	}
	return err
}

// signUp asks the HTTP API for a session, as a signup service does. It is asked again after a 202, which says that the
// session is being made: a task that a worker took as it stopped is given to another one after its timeout.
func (s *system) signUp(ctx context.Context, user string) (string, error) {
	body, _ := json.Marshal(map[string]string{"user_id": user})
	code, text, err := harness.Call(ctx, http.DefaultClient, token, http.MethodPost, s.apiURL+"/v1/verifications", string(body))
	if err == nil && code == http.StatusAccepted {
		s.later.Add(1)
		return "", errors.New("the API answers later")
	}
	if err == nil && code >= http.StatusMultipleChoices {
		err = fmt.Errorf("the API answers %d: %s", code, text)
	}
	if err != nil {
		s.failed.Add(1)
		return "", err
	}
	var answer struct{ URL string }
	err = json.Unmarshal(text, &answer)
	return answer.URL, err
}
