package config

import (
	"errors"
	"fmt"
)

// Account is what `starter setup didit` calls. It may have no key yet.
type Account struct {
	DiditBaseURL string
	AccountURL   string // without a slash at the end
}

// ForAccount reads the settings of `starter setup didit`.
func ForAccount(getenv Getenv) (Account, error) {
	e := &env{get: getenv}
	a := Account{DiditBaseURL: e.baseURL("DIDIT_BASE_URL"), AccountURL: e.baseURL("DIDIT_ACCOUNT_URL")}
	return a, errors.Join(e.errs...)
}

// IsDidit reports whether this is Didit itself, and not a simulator or a proxy.
func (a Account) IsDidit() bool { return a.DiditBaseURL == Default("DIDIT_BASE_URL") }

// CheckPair refuses to open an account when only one of the two addresses points at a simulator or a proxy: the account would
// be opened in one place and its key used in another.
func (a Account) CheckPair() error {
	switch theirs := a.AccountURL == Default("DIDIT_ACCOUNT_URL"); {
	case theirs && !a.IsDidit():
		return fmt.Errorf("DIDIT_ACCOUNT_URL is Didit's, but DIDIT_BASE_URL is not: set it as well (the simulator's is %s/auth/v2)", a.DiditBaseURL)
	case !theirs && a.IsDidit():
		return errors.New("DIDIT_BASE_URL is Didit's, but DIDIT_ACCOUNT_URL is not: set both, or neither")
	}
	return nil
}
