package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"didit-temporal/dev/harness"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// people sign up through the API, do what Didit asks for, and wait for their verdict, one after the other in each of some lines.
type people struct {
	api    string
	token  string
	sim    *diditsim.Server
	client *http.Client
	done   atomic.Int64 // people with a verdict

	mu     sync.Mutex
	codes  map[int]int // answers of the API
	wrong  []string
	flocks sync.WaitGroup
}

// flock is how many are on their way at a time.
const flock = 8

// come lets people come until ctx ends, and those who have come finish.
func (p *people) come(ctx context.Context, began context.Context) {
	for range flock {
		p.flocks.Go(func() {
			for ctx.Err() == nil {
				if err := p.live(began); err != nil {
					p.note(0, err.Error())
				}
			}
		})
	}
}

func (p *people) live(ctx context.Context) error {
	user := "person-" + uuid.NewString()
	var state kyc.State
	for state.SessionID == "" { // 202: not yet
		if err := p.call(ctx, http.MethodPost, "", map[string]string{"user_id": user}, &state); err != nil {
			return err
		}
	}
	for _, status := range []didit.Status{didit.StatusInProgress, didit.StatusInReview, didit.StatusApproved} {
		if err := p.sim.SetStatus(state.SessionID, status); err != nil {
			return fmt.Errorf("%s: %w", user, err)
		}
	}
	for state.Outcome == "" {
		if err := p.call(ctx, http.MethodGet, "/"+user+"?wait=45s", nil, &state); err != nil {
			return err
		}
	}
	if state.Outcome != kyc.OutcomeApproved {
		return fmt.Errorf("%s is %s", user, state.Outcome)
	}
	p.done.Add(1)
	return nil
}

// call calls the API once. A caller must see no fault of a rolling update.
func (p *people) call(ctx context.Context, method, path string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	began := time.Now()
	code, answer, err := harness.Call(ctx, p.client, p.token, method, p.api+path, string(content))
	if err != nil {
		return fmt.Errorf("%s after %s: %w", method, time.Since(began).Round(time.Millisecond), err)
	}
	p.note(code, "")
	if code >= 300 {
		return fmt.Errorf("%s: %d %s", method, code, answer)
	}
	return json.Unmarshal(answer, into)
}

func (p *people) note(code int, wrong string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code != 0 {
		p.codes[code]++
	}
	if wrong != "" {
		p.wrong = append(p.wrong, wrong)
	}
}
