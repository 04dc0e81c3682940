package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/envfile"
)

const setupDiditLong = `From nothing to an account at Didit that works: what workers and the webhook
need is written to an env file that only its owner can read, and never shown.

  key          where there is none, an account is opened: Didit sends a code to
               the address, which is asked for here or given with --code; the
               key of an account that exists is read with its password
  flow         the workflow that users go through: that of --workflow-id, the
               only one of the account, or, where it has none, a new one with
               document, liveness and face match (asked, or --flow)
  destination  where Didit sends webhooks: made for --url, or, if there is one
               for it, completed (enabled, v3, status.updated; its other events
               stay); its secret is added to those in the file

It may be run again at any time and does what is left to do. What the file has is
kept: other lines, comments and their order, a key, older webhook secrets.`

const setupDiditExample = `  starter setup didit --email you@your-domain --flow --url https://kyc.your-domain/webhooks/didit
  starter setup didit --url https://kyc.your-domain/webhooks/didit      with a key in .env
  starter setup didit --email you@your-domain --code A1B2C3             in a second step`

// diditFlags are those of `starter setup didit`.
type diditFlags struct {
	envFile, email, passwordFile, code, url, workflowID string
	makeFlow                                            bool
	environment                                         choice
}

func (t *tool) setupDiditCommand() *cobra.Command {
	o := diditFlags{environment: choice{words: []string{string(config.Live), string(config.Sandbox)}}}
	cmd := &cobra.Command{
		Use:     "didit",
		Short:   "Open an account at Didit, make its webhook destination, write the env file",
		Long:    setupDiditLong,
		Example: setupDiditExample,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.setupDidit(cmd.Context(), o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.envFile, "env-file", ".env", "`file` that is read and written")
	fs.StringVar(&o.email, "email", "", "`address` that the account is opened for, where there is no key yet")
	fs.StringVar(&o.passwordFile, "password-file", "", "`file` with the account's password; without it the password is asked for")
	fs.StringVar(&o.code, "code", "", "the `code` that Didit has sent, of an account that was started before")
	fs.StringVar(&o.url, "url", "", "public `URL` of your webhook, such as https://HOST/webhooks/didit")
	fs.BoolVar(&o.makeFlow, "flow", false, "make a flow (document, liveness, face match) where the account has none, without asking")
	fs.StringVar(&o.workflowID, "workflow-id", "", "`id` of the flow that users go through")
	o.environment.add(cmd, "environment", "", "which side of Didit the application belongs to (default: that of the file, else live)")
	return cmd
}

// diditSetup is one run of `starter setup didit`.
type diditSetup struct {
	*tool
	o       diditFlags
	ask     *prompt
	file    *envfile.File
	account config.Account
	api     *didit.Client
}

func (t *tool) setupDidit(ctx context.Context, o diditFlags) error {
	s := &diditSetup{tool: t, o: o, ask: newPrompt(t.stdin, t.stderr)}
	if err := s.open(); err != nil {
		return err
	}
	if o.url != "" {
		if err := checkWebhookURL(o.url, s.account.IsDidit()); err != nil {
			return err
		}
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.key(ctx); err != nil {
		return err
	}
	// Both, so that one run reports all that is left to do.
	err := errors.Join(s.flow(ctx), s.destination(ctx))
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return fmt.Errorf("%w\nwhat was done is in %s: run the command again for the rest", err, s.file.Path())
	}
	return s.finish()
}

// open reads the env file and the addresses of Didit.
func (s *diditSetup) open() (err error) {
	if s.file, err = envfile.Load(s.o.envFile); err != nil {
		return err
	}
	s.account, err = config.ForAccount(s.get)
	return err
}

// prepare writes what needs no key. It comes first because it proves that the file can be written: a key that cannot
// be kept must not be asked for.
func (s *diditSetup) prepare() error {
	if s.file.Shared() {
		s.say("%s could be read or written by others (mode %04o): its mode is 0600 now", s.file.Path(), s.file.Mode())
	}
	for _, name := range []string{"DIDIT_BASE_URL", "DIDIT_ACCOUNT_URL", "DIDIT_ENVIRONMENT"} {
		if value := s.getenv(name); value != "" && s.file.Get(name) == "" {
			if err := s.set(name, value, "from the environment"); err != nil {
				return err
			}
		}
	}
	if e := s.o.environment.value; e != "" && e != s.file.Get("DIDIT_ENVIRONMENT") {
		if err := s.set("DIDIT_ENVIRONMENT", e, e); err != nil {
			return err
		}
	}
	return s.file.Save()
}

// get is what the file says, else the environment.
func (s *diditSetup) get(name string) string {
	if v := s.file.Get(name); v != "" {
		return v
	}
	return s.getenv(name)
}

// adopt returns a variable of the file, or one of the environment, which it keeps in the file; empty where there is none.
func (s *diditSetup) adopt(name string) (string, error) {
	if have := s.file.Get(name); have != "" {
		s.say("%s: already there", name)
		return have, nil
	}
	have := s.getenv(name)
	if have == "" {
		return "", nil
	}
	return have, s.keep(name, have, "from the environment")
}

// keep saves a variable at once: whatever happens next, it is not lost.
func (s *diditSetup) keep(name, value, note string) error {
	if err := s.set(name, value, note); err != nil {
		return err
	}
	return s.file.Save()
}

// set prints what it writes, without secrets.
func (s *diditSetup) set(name, value, note string) error {
	if err := s.file.Set(name, value); err != nil {
		return err
	}
	s.say("%s: %s", name, note)
	return nil
}

func (s *diditSetup) say(format string, args ...any) { fmt.Fprintf(s.stdout, format+"\n", args...) }

// finish reads the settings as the processes will. What is not in the file is the environment's NAME_FILE, at most.
func (s *diditSetup) finish() error {
	_, errWorker := config.ForWorker(s.get)
	_, errWebhook := config.ForWebhook(s.get)
	if mistakes := config.Mistakes(errWorker, errWebhook); len(mistakes) > 0 {
		return fmt.Errorf("%s is not complete yet:\n  %s%s", s.file.Path(), strings.Join(mistakes, "\n  "), s.hint())
	}
	s.say("%s is complete. Next: set -a; . %s; set +a; `starter setup`, once; start worker and webhook; then `starter doctor`", s.file.Path(), shellPath(s.file.Path()))
	return nil
}

// hint names the flag that is missing most often.
func (s *diditSetup) hint() string {
	if s.o.url == "" && s.file.Get("DIDIT_WEBHOOK_SECRETS") == "" {
		return "\ngive --url https://HOST/webhooks/didit to make the webhook destination, whose secret this is"
	}
	return ""
}

// shellPath is a path for the shell's dot, which searches a bare name in PATH.
func shellPath(path string) string {
	if strings.Contains(path, "/") {
		return path
	}
	return "./" + path
}

// refused explains an answer of Didit to a key.
func (s *diditSetup) refused(what string, err error) error {
	e, ok := errors.AsType[*didit.APIError](err)
	switch {
	case ok && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden):
		return fmt.Errorf("%s: Didit refuses the key: %w\nput the right key, or one with the right to do this, from %s into %s as DIDIT_API_KEY; "+
			"or remove the line to open an account", what, err, console, s.file.Path())
	case ok:
		return fmt.Errorf("%s: %w\n%s", what, err, e.Cause().Advice())
	}
	return fmt.Errorf("%s: %w\nno usable answer from %s: check the network and DIDIT_BASE_URL", what, err, s.account.DiditBaseURL)
}

const console = "Didit's console (https://business.didit.me, API & Webhooks)"
