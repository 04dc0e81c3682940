//go:build !unix

package tserver

import (
	"context"
	"os/exec"
)

// lock does nothing: the worst is a server built twice.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

// detach does nothing: a Ctrl-C at the terminal ends parent and child at once.
func detach(*exec.Cmd) {}
