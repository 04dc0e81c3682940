package chaos

import (
	"path/filepath"
	"testing"

	"didit-temporal/dev/procs"
)

// supervise runs a program until the test ends.
func supervise(t *testing.T, name, ready string, env ...string) *procs.Program {
	t.Helper()
	p := procs.Supervise(filepath.Join(programs, name), t.TempDir(), ready, env...)
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("%s logged last:\n%s", name, p.Log())
		}
	})
	return p
}
