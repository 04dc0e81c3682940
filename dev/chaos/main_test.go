// Package chaos kills the processes of the system while people use it, and counts what was lost: nothing may be. The
// worker and the webhook are the real programs, Didit is simulated in the test process, and all talk over real TCP.
package chaos

import (
	"flag"
	"os"
	"testing"
	"time"

	"didit-temporal/dev/procs"
)

var (
	full  = flag.Bool("full", false, "many users and many kills; without it a short form of each test")
	users = flag.Int("users", 0, "users of the load; default 60, 1000 with -full")
	kills = flag.Int("kills", 0, "kills of each process; default 2, 20 with -full")
	seed  = flag.Uint64("seed", 1, "of the schedule of kills, of what people do, and of the fate of webhooks")
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 3 * time.Minute

// programs is the folder with the worker and the webhook, built as `make build` does.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(procs.Main(m, "", &programs, "./worker", "./webhook"))
}

// size is the flag if it was given, else what the form of the test says.
func size(given, short, long int) int {
	switch {
	case given > 0:
		return given
	case *full:
		return long
	}
	return short
}

// alongside lets the short forms share the time; the full ones need the machine for themselves.
func alongside(t *testing.T) {
	t.Helper()
	if !*full {
		t.Parallel()
	}
}
