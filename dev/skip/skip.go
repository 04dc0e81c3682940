// Package skip leaves a test out, and makes sure that it shows.
package skip

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Long skips a test with -short, which is how make test runs the tests here; make test-all runs it.
func Long(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("left out with -short")
	}
}

// Program returns the path of a program of a Debian package, or skips the test.
func Program(tb testing.TB, program, debian string) string {
	tb.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Missing(tb, fmt.Sprintf("%s is not installed (apt-get install %s)", program, debian))
	}
	return path
}

// Missing skips a test that needs something which this machine lacks. STRICT=1 makes that a failure.
func Missing(tb testing.TB, what string) {
	tb.Helper()
	if err := Report(tb.Name() + ": " + what); err != nil {
		tb.Fatal(err)
	}
	tb.Skip("SKIPPED: " + what)
}

// Report adds a line to the file that SKIPPED names, which make test-all prints at its end. It is an error with STRICT=1.
func Report(what string) error {
	if os.Getenv("STRICT") == "1" {
		return fmt.Errorf("STRICT=1 allows no skipped test: %s", what)
	}
	file := os.Getenv("SKIPPED")
	if file == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil { //nolint:gosec // G703: the Makefile's
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // G304: the Makefile's
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, what)
	return errors.Join(err, f.Close())
}
