// Package upgrade replaces the previous release by this tree, and this tree by the previous release, while people use
// the system. All programs are real processes, Temporal's server is a real one, Didit is simulated in the test process.
package upgrade

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/checkout"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/skip"
)

var (
	users = flag.Int("users", 150, "users of the load")
	seed  = flag.Uint64("seed", 1, "of what people do, and when")
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 3 * time.Minute

// newer is the folder with this tree's programs, built as `make build` does.
var newer string

var programs = []string{"./worker", "./webhook", "./starter"}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(procs.Main(m, "", &newer, programs...))
}

//go:embed previous
var previousFile string

// previous is the release that an upgrade begins with.
func previous() string {
	for line := range strings.Lines(previousFile) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// buildPrevious returns a folder with the programs of the previous release. A clone that lacks it skips the test.
func buildPrevious(t *testing.T) string {
	t.Helper()
	source, dir := t.TempDir(), t.TempDir()
	root, err := procs.Root(t.Context())
	require.NoError(t, err)
	err = checkout.At(t.Context(), root, previous(), source)
	if errors.Is(err, checkout.ErrNoCommit) {
		skip.Missing(t, err.Error())
	}
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	require.NoError(t, procs.Build(ctx, source, dir, nil, programs...))
	return dir
}
