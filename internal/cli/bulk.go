package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"didit-temporal/kyc"
)

const bulkLong = `Start one verification for each user of a file, or for user-1 to user-N.

The file has one user id per line, or is CSV with a header that names user_id
and, if you like, language, return_url and workflow_id, in any order. Blank lines
and lines that begin with # are left out; of a user who is there twice the first
line counts. Nothing is started before the whole file was found to be good.

It is safe to run it again on the same file, also after Ctrl-C: open
verifications are joined, decided ones left alone. Didit's limit is kept for all
workers together, so a large file takes its time, about 290 users a minute at
Didit's usual limit; --priority bulk lets single users go first.

URLs are secrets and not printed here; 'starter start --user USER' prints one.

Failures and the summary go to standard output, progress to standard error.
Exit code 1 if any user failed.`

const bulkExample = `  starter bulk --file users.csv
  starter bulk --file users.csv --concurrency 64
  psql -Atc 'select id from signups' | starter bulk --file -
  starter bulk -n 100

  users.csv:
    user_id,language,return_url
    u1,en,https://shop.example/welcome
    u2,pt-BR,`

const (
	maxNumbered    = 100_000 // more is a typing mistake
	maxConcurrency = 256
	tickInterval   = 5 * time.Second
)

type bulkFlags struct {
	file        string
	count       int
	concurrency int
	priority    choice
	timeout     time.Duration
}

func (t *tool) bulkCommand() *cobra.Command {
	f := bulkFlags{priority: newPriority(kyc.PriorityBulk)}
	cmd := &cobra.Command{
		Use:     "bulk {--file FILE | -n N}",
		Short:   "Verify many users",
		Long:    bulkLong,
		Example: bulkExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.bulk(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "file of users, - for standard input")
	flags.IntVarP(&f.count, "count", "n", 0, "instead of a file: the users user-1 to user-N")
	flags.IntVar(&f.concurrency, "concurrency", 16, fmt.Sprintf("how many users to start at once, 1 to %d", maxConcurrency))
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait for each user's session")
	f.priority.add(cmd, "priority", "", "who goes first when Didit's limit makes users wait")
	_ = cmd.MarkFlagFilename("file") // it fails for a flag that is not defined
	return cmd
}

func (f bulkFlags) check() error {
	switch {
	case (f.file == "") == (f.count == 0):
		return errors.New("say whom to start, with one of --file users.csv and -n 100")
	case f.file == "" && (f.count < 1 || f.count > maxNumbered):
		return fmt.Errorf("-n is %d; want 1 to %d", f.count, maxNumbered)
	case f.concurrency < 1 || f.concurrency > maxConcurrency:
		return fmt.Errorf("--concurrency is %d; want 1 to %d", f.concurrency, maxConcurrency)
	}
	return checkTimeout(f.timeout)
}

func (t *tool) bulk(ctx context.Context, f bulkFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	list := numberedUsers(f.count)
	if f.file != "" {
		var err error
		if list, err = readUsers(ctx, f.file, t.stdin); err != nil {
			return err
		}
	}
	for i := range list.users {
		list.users[i].Priority = kyc.Priority(f.priority.value)
	}
	v, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	begun := t.now()
	sum := t.startAll(ctx, v, f, list.users)
	sum.duplicates = list.duplicates
	fmt.Fprintln(t.stdout, sum.summary(t.now().Sub(begun)))
	return sum.verdict()
}

// result is what became of one user.
type result struct {
	userID  string
	started kyc.Started
	err     error
}

// reason leaves out the user, who is at the beginning of the line.
func (r result) reason() string {
	var final *kyc.SessionError
	if errors.As(r.err, &final) && final.Type != "" {
		return explained(final.Type)
	}
	return r.err.Error()
}

// startAll starts all users, or as many as it can before ctx ends, and prints the failures.
func (t *tool) startAll(ctx context.Context, v verifications, f bulkFlags, users []kyc.Input) tally {
	results := make(chan result)
	go func() {
		defer close(results)
		startEach(ctx, v, f, users, results)
	}()
	sum, show := tally{users: len(users)}, t.newProgress(len(users))
	defer show.hide()
	tick := t.after(tickInterval)
	for {
		select {
		case r, open := <-results:
			if !open {
				return sum
			}
			if sum.add(r) == failed {
				show.hide()
				fmt.Fprintf(t.stdout, "%s: %s\n", r.userID, r.reason())
			}
			show.step()
		case <-tick:
			show.tick()
			tick = t.after(tickInterval)
		}
	}
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
