package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// result is the outcome of one user.
type result struct {
	userID  string
	started kyc.Started
	err     error
}

// reason leaves out the user, who is at the beginning of the line.
func (r result) reason() string {
	if kind := sessionErrorType(r.err); kind != "" {
		return explained(kind)
	}
	if cause := kyc.Cause(r.err); cause != "" {
		return r.err.Error() + ": " + cause
	}
	return r.err.Error()
}

// startAll starts all users, or as many as it can before it is stopped, prints the failures and keeps the results.
func (t *tool) startAll(ctx context.Context, v verifications, f bulkFlags, p plan) tally {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	results := make(chan result)
	go func() {
		defer close(results)
		startEach(ctx, v, f, p.todo, results)
	}()
	sum := tally{users: len(p.todo), before: p.before(), duplicates: p.duplicates, by: map[outcome]int{}}
	show, failures, tick := t.newProgress(len(p.todo)), failureStreak{}, t.after(tickInterval)
	defer show.hide()
	for {
		select {
		case r, open := <-results:
			if !open {
				return sum
			}
			if err := errors.Join(t.take(&sum, r, p.results, show, f.output.value), failures.add(r)); err != nil && sum.stopped == nil {
				sum.stopped = err
				stop(err)
			}
			show.step()
		case <-tick:
			show.tick()
			tick = t.after(tickInterval)
		}
	}
}

// take counts one result and writes it down.
func (t *tool) take(sum *tally, r result, results *results, show progress, output string) error {
	became := sum.add(r)
	if became == cutShort { // it has no result: the next run of the command gets it
		return nil
	}
	if output == jsonOut {
		show.hide()
		if err := writeJSON(t.stdout, newUserJSON(r, became)); err != nil {
			return err
		}
	} else if became == failed {
		show.hide()
		fmt.Fprintf(t.stdout, "%s: %s\n", r.userID, r.reason())
	}
	return results.add(r)
}

func startEach(ctx context.Context, v verifications, f bulkFlags, users []kyc.Input, results chan<- result) {
	var g errgroup.Group
	g.SetLimit(f.concurrency)
	for _, in := range users {
		g.Go(func() error {
			if ctx.Err() == nil { // else it is not started, and counted as such
				s, err := startOne(ctx, v, in, f.timeout)
				results <- result{in.UserID, s, err}
			}
			return nil
		})
	}
	_ = g.Wait() // results carry the errors
}

// maxSameFailures is how many failures in a row for one reason end a bulk start.
const maxSameFailures = 20

// failureStreak counts failures in a row for one reason that an operator must fix. Each costs a verification, and the other
// users of the file would fail the same way.
type failureStreak struct {
	errorType string
	length    int
}

func (s *failureStreak) add(r result) error {
	kind := sessionErrorType(r.err)
	switch {
	case r.err == nil && !r.started.New, errors.Is(r.err, errInterrupted):
		return nil // Didit was not asked, or has not answered
	case !slices.Contains(needOperator, kind):
		*s = failureStreak{}
		return nil
	case kind != s.errorType:
		*s = failureStreak{errorType: kind}
	}
	if s.length++; s.length < maxSameFailures {
		return nil
	}
	return ofKind(failedRefused, fmt.Errorf("stopped, because %d users in a row failed for one reason that waiting does not fix: %s\n"+
		"fix it and run the same command again: failed users are tried again, no user is started twice", maxSameFailures, explained(kind)))
}

// needOperator are the errors that are about the key, the account or the flow, and not about one user.
var needOperator = []string{kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeRejected, kyc.ErrorTypeNotFound}

// usualPerMinute is how many users start in a minute under Didit's usual limit.
const usualPerMinute = 290

// dryRun says what a bulk start would do.
func (t *tool) dryRun(ctx context.Context, f bulkFlags, p plan) error {
	rows := [][2]string{{"users", fmt.Sprint(p.users)}, {"duplicates", fmt.Sprintf("%d, left out", p.duplicates)}}
	if f.results != "" {
		rows = append(rows, [2]string{"results", fmt.Sprintf("%s: %d have one", f.results, p.before())})
	}
	rows = append(rows, [2]string{"to start", fmt.Sprint(len(p.todo))})
	position, err := t.position(ctx, kyc.Priority(f.priority.value))
	if err == nil {
		rows = append(rows, [2]string{"time", forecast(position, len(p.todo))})
	}
	if err := writeTable(t.stdout, rows); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("every line is valid, but the time cannot be estimated: %w", err)
	}
	fmt.Fprintln(t.stdout, "every line is valid; nothing was started")
	return nil
}

func (t *tool) position(ctx context.Context, p kyc.Priority) (ops.QueuePosition, error) {
	v, err := t.dial(ctx)
	if err != nil {
		return ops.QueuePosition{}, err
	}
	defer v.Close()
	return v.QueuePosition(ctx, p)
}

// forecast is how long it takes to start so many users.
func forecast(position ops.QueuePosition, users int) string {
	perSecond, note := position.PerSecond, ""
	switch {
	case position.Paused:
		return "not known: an operator has paused the calls to Didit; `starter setup` shows who"
	case perSecond <= 0:
		perSecond, note = usualPerMinute/60.0, "; no limit is set yet, the first worker does, and this is Didit's usual one"
	}
	left := time.Duration(float64(position.Ahead+users) / perSecond * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("about %s at %.2f calls a second, %d ahead%s", left, perSecond, position.Ahead, note)
}
