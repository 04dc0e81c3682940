package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"didit-temporal/didit"
)

// maxWrongCodes stays below the five at which Didit locks an account for a quarter of an hour.
const maxWrongCodes = 4

// key makes the client, with the key there is or with one of a new account.
func (s *diditSetup) key(ctx context.Context) error {
	key, err := s.foundKey()
	if err == nil && key == "" {
		if key, err = s.register(ctx); err != nil {
			return err
		}
		err = s.keep("DIDIT_API_KEY", key, "the key of the new account")
	}
	if err != nil {
		return err
	}
	s.api, err = didit.NewClient(didit.ClientOptions{BaseURL: s.account.DiditBaseURL, APIKey: key})
	return err
}

// foundKey is empty where there is none.
func (s *diditSetup) foundKey() (string, error) {
	if path := s.get("DIDIT_API_KEY_FILE"); path != "" && s.get("DIDIT_API_KEY") == "" {
		b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil || strings.TrimSpace(string(b)) == "" {
			return "", errors.New("DIDIT_API_KEY_FILE names a file that cannot be read or is empty: correct it, or remove the variable to open an account")
		}
		s.say("DIDIT_API_KEY: in the file that DIDIT_API_KEY_FILE names")
		return strings.TrimSpace(string(b)), nil
	}
	return s.adopt("DIDIT_API_KEY")
}

// register opens an account. Each of its two calls may be repeated by running the command again.
func (s *diditSetup) register(ctx context.Context) (string, error) {
	if err := s.account.CheckPair(); err != nil {
		return "", err
	}
	r, err := didit.NewRegistrar(didit.RegistrarOptions{BaseURL: s.account.AccountURL})
	if err != nil {
		return "", err
	}
	email := s.o.email
	if email == "" {
		s.say("There is no DIDIT_API_KEY in %s: an account is opened at %s", s.file.Path(), s.account.AccountURL)
		if email, err = s.ask.line(ctx, "E-mail address, to which Didit sends a code:"); err != nil {
			return "", answerWith(err, "--email")
		}
	}
	if s.o.code != "" {
		return s.verifyOnce(ctx, r, email)
	}
	return s.registerAndVerify(ctx, r, email)
}

// verifyOnce submits the code of an earlier run. A code is valid once: if that run was interrupted after it had submitted
// the code, the account exists, and its password finds the key.
func (s *diditSetup) verifyOnce(ctx context.Context, r *didit.Registrar, email string) (string, error) {
	key, err := s.verify(ctx, r, email, s.o.code)
	if !errors.Is(err, didit.ErrWrongCode) && !errors.Is(err, errLostAnswer) {
		return key, err
	}
	fmt.Fprintln(s.stderr, err)
	password, askErr := s.password(ctx)
	if askErr != nil {
		return "", fmt.Errorf("%w\na code is good once, for ten minutes; without --code another is sent. %s", err, s.lostKey())
	}
	return s.recover(ctx, r, email, password)
}

func (s *diditSetup) registerAndVerify(ctx context.Context, r *didit.Registrar, email string) (string, error) {
	password, err := s.password(ctx)
	if err != nil {
		return "", err
	}
	if err := s.requestAccount(ctx, r, email, password); errors.Is(err, errAccountExists) {
		return s.recover(ctx, r, email, password)
	} else if err != nil {
		return "", err
	}
	key, err := s.enterCode(ctx, r, email)
	if errors.Is(err, errLostAnswer) {
		fmt.Fprintln(s.stderr, err)
		return s.recover(ctx, r, email, password)
	}
	return key, err
}

// enterCode asks for the code until it is right, or until one more mistake would lock the account.
func (s *diditSetup) enterCode(ctx context.Context, r *didit.Registrar, email string) (string, error) {
	for wrong := 0; ; {
		code, err := s.ask.line(ctx, "The code that Didit has sent (Enter asks for another):")
		if err != nil {
			return "", answerWith(err, "--email and --code, once you have the code")
		}
		if code == "" {
			if err := s.resend(ctx, r, email); err != nil {
				return "", err
			}
			continue
		}
		key, err := s.verify(ctx, r, email, code)
		malformed := errors.Is(err, didit.ErrInvalidArgument)
		if !malformed && !errors.Is(err, didit.ErrWrongCode) {
			return key, err
		}
		if !malformed {
			wrong++
		}
		if wrong == maxWrongCodes {
			return "", fmt.Errorf("%w\none more would lock the account: run the command again for a new code", err)
		}
		fmt.Fprintln(s.stderr, err)
	}
}

// What the two calls of a registration can end with beside success and failure.
var (
	errAccountExists = errors.New("the address is refused; it may have an account")
	errLostAnswer    = errors.New("the answer was lost")
)

// requestAccount asks for an account, once. An answer that was lost is no failure: the code may be on its way.
func (s *diditSetup) requestAccount(ctx context.Context, r *didit.Registrar, email, password string) error {
	err := r.Register(ctx, email, password)
	e, answered := errors.AsType[*didit.APIError](err)
	switch {
	case err == nil:
		s.say("Didit has sent a code to the address. It is good for ten minutes")
		return nil
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, didit.ErrInvalidArgument), errors.Is(err, didit.ErrTooManyRegistrations):
		return err
	case answered && e.StatusCode >= 500:
		return fmt.Errorf("%w\nDidit could not send a code: is it an address that can get mail? Otherwise try again later", err)
	case answered:
		fmt.Fprintln(s.stderr, err)
		return errAccountExists
	}
	fmt.Fprintf(s.stderr, "%v\nThe answer was lost: a code may have been sent. Check the inbox\n", err)
	return nil
}

// resend makes Didit send another code, which it does once a minute.
func (s *diditSetup) resend(ctx context.Context, r *didit.Registrar, email string) error {
	err := r.ResendCode(ctx, email)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		fmt.Fprintln(s.stderr, err)
	default:
		s.say("Didit has sent another code. Only the newest is good, for ten minutes")
	}
	return nil
}

// lostKey is advice for an account whose key is not here.
func (s *diditSetup) lostKey() string {
	return fmt.Sprintf("If the address has an account, take its key from %s,\nput it into %s as DIDIT_API_KEY=..., and run the command again",
		console, s.file.Path())
}

func (s *diditSetup) verify(ctx context.Context, r *didit.Registrar, email, code string) (string, error) {
	account, err := r.VerifyEmail(ctx, email, code)
	_, answered := errors.AsType[*didit.APIError](err)
	switch {
	case err == nil:
		return account.APIKey.Reveal(), nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("%w while Didit made the account: run the command again with the same address and password", errInterrupted)
	case answered, errors.Is(err, didit.ErrInvalidArgument):
		return "", err
	}
	return "", fmt.Errorf("%w: %w", errLostAnswer, err)
}

// recover reads the key of an account that exists.
func (s *diditSetup) recover(ctx context.Context, r *didit.Registrar, email, password string) (string, error) {
	account, err := r.Recover(ctx, email, password)
	switch {
	case err == nil:
		s.say("The account exists: its key was read with the password")
		return account.APIKey.Reveal(), nil
	case ctx.Err() != nil:
		return "", errInterrupted
	}
	return "", fmt.Errorf("%w\n%s", err, s.lostKey())
}

// password is never a flag, because other users of the machine can read a command line.
func (s *diditSetup) password(ctx context.Context) (string, error) {
	if s.o.passwordFile == "" {
		p, err := s.ask.hidden(ctx, "A password for the account (8 characters or more; upper and lower case, digit, special character):")
		return p, answerWith(err, "--password-file")
	}
	b, err := os.ReadFile(s.o.passwordFile)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// answerWith names the flag that answers a question where no terminal can.
func answerWith(err error, flag string) error {
	if errors.Is(err, errNoAnswer) {
		return fmt.Errorf("%w; give %s", err, flag)
	}
	return err
}
