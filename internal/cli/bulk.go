package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"didit-temporal/kyc"
)

const bulkLong = `Start one verification for each user of a file, or for user-1 to user-N.

The file has one user id per line, or is CSV with a header that names user_id
and, if you like, language, return_url and workflow_id, in any order. Blank lines
and lines that begin with # are skipped; of a user who is there twice the first
line counts. Nothing is started before the whole file is valid.

Results go to a file beside that of the users, users.results.csv for users.csv,
with the columns user_id, session_id, url, status and error: a line as soon as a
user is done. URLs are secrets, so only you may read the file, and nothing is
printed of them. With --file - or -n there is no such file unless --results names
one; --results "" writes none.

It resumes after Ctrl-C or a crash: run it again on the same file. Users with a
result are skipped, failed users are tried again, open verifications are joined
and decided ones left alone. Delete the file of results to start from scratch.

Didit's limit is kept for all workers together, so a large file takes its time,
about 290 users a minute at Didit's usual limit; --dry-run checks the file and
estimates the time. --priority bulk lets single users go first. When 20 users in a
row fail for one reason that waiting does not fix, such as a wrong key, it stops.

Failures and the summary go to standard output, progress to standard error; with
-o json that is one line for each user, without the URL, and a last one with the
summary. Exit code 7 if any user failed.`

const bulkExample = `  starter bulk --file users.csv
  starter bulk --file users.csv --concurrency 64
  starter bulk --file users.csv --dry-run
  psql -Atc 'select id from signups' | starter bulk --file - --results signups.csv
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
	dryRun      bool
	results     string // where results go; empty: nowhere
	output      choice
}

func (t *tool) bulkCommand() *cobra.Command {
	f := bulkFlags{priority: newPriority(kyc.PriorityBulk), output: newOutput()}
	cmd := &cobra.Command{
		Use:     "bulk {--file FILE | -n N}",
		Short:   "Verify many users",
		Long:    bulkLong,
		Example: bulkExample,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("results") {
				f.results = resultsBeside(f.file)
			}
			return t.bulk(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "file of users, - for standard input")
	flags.IntVarP(&f.count, "count", "n", 0, "instead of a file: the users user-1 to user-N")
	flags.IntVar(&f.concurrency, "concurrency", 16, fmt.Sprintf("how many users to start at once, 1 to %d", maxConcurrency))
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait for each user's session")
	f.priority.add(cmd, "priority", "", "who goes first when Didit's limit makes users wait")
	flags.StringVar(&f.results, "results", "", "CSV `file` of results, read first and added to (default: beside --file)")
	f.output.add(cmd, "output", "o", "how to print")
	flags.BoolVar(&f.dryRun, "dry-run", false, "check the file, print the number of users and the time, start nothing")
	_ = cmd.MarkFlagFilename("file") // it fails for a flag that is not defined
	return cmd
}

func (f bulkFlags) check() error {
	switch {
	case (f.file == "") == (f.count == 0):
		return errors.New("give one of --file users.csv and -n 100, and not both")
	case f.file == "" && (f.count < 1 || f.count > maxNumbered):
		return fmt.Errorf("-n is %d; want 1 to %d", f.count, maxNumbered)
	case f.concurrency < 1 || f.concurrency > maxConcurrency:
		return fmt.Errorf("--concurrency is %d; want 1 to %d", f.concurrency, maxConcurrency)
	}
	return checkTimeout(f.timeout)
}

func (t *tool) bulk(ctx context.Context, f bulkFlags) error {
	if err := f.check(); err != nil {
		return usage(err)
	}
	list := numberedUsers(f.count)
	if f.file != "" {
		var err error
		if list, err = readUsers(ctx, f.file, t.stdin); err != nil {
			return usage(err)
		}
	}
	results, err := readResults(f.results)
	if err != nil {
		return usage(err)
	}
	p := newPlan(list, results, kyc.Priority(f.priority.value))
	switch {
	case f.dryRun:
		return t.dryRun(ctx, f, p)
	case len(p.todo) == 0:
		if f.output.value == jsonOut {
			return t.printSummary(jsonOut, tally{before: p.users, duplicates: p.duplicates}, 0)
		}
		fmt.Fprintf(t.stdout, "%d users: %s has a result for each, nothing was started\n", p.users, f.results)
		return nil
	}
	return t.startPlan(ctx, f, p)
}

// plan is the users of a bulk start.
type plan struct {
	todo       []kyc.Input
	users      int // of the file, each once
	duplicates int
	results    *results
}

// newPlan leaves out users with a result from before.
func newPlan(list userList, results *results, priority kyc.Priority) plan {
	p := plan{users: len(list.users), duplicates: list.duplicates, results: results}
	for _, in := range list.users {
		if !results.done[in.UserID] {
			in.Priority = priority
			p.todo = append(p.todo, in)
		}
	}
	return p
}

func (p plan) before() int { return p.users - len(p.todo) }

func (t *tool) startPlan(ctx context.Context, f bulkFlags, p plan) error {
	v, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	if err := p.results.begin(); err != nil {
		return err
	}
	if p.before() > 0 {
		fmt.Fprintf(t.stderr, "%d of %d users have a result in %s; starting the other %d\n", p.before(), p.users, f.results, len(p.todo))
	}
	begun := t.now()
	sum := t.startAll(ctx, v, f, p)
	if err := t.printSummary(f.output.value, sum, t.now().Sub(begun)); err != nil {
		return err
	}
	if err := p.results.end(); err != nil {
		return err
	}
	return sum.verdict()
}
