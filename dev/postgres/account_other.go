//go:build !linux

package postgres

import "os/exec"

// account is ourselves.
type account struct{}

func unprivileged() (account, error) { return account{}, nil }

func (account) own(string) error { return nil }

func (account) run(*exec.Cmd) {}
