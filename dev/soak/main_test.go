// Package soak sends the real webhook process more than it will ever get, for half an hour, a tenth of it hostile, and
// watches what it grows by.
package soak

import (
	"flag"
	"os"
	"testing"
	"time"

	"didit-temporal/dev/procs"
)

var (
	length   = flag.Duration("for", 6*time.Second, "how long to send")
	rate     = flag.Int("rate", 40, "requests a second")
	users    = flag.Int("users", 100, "verifications that the events are about")
	hostile  = flag.Float64("hostile", 0.1, "share of requests that are hostile")
	repeats  = flag.Float64("repeats", 0.2, "share of the genuine requests that repeat an event")
	every    = flag.Duration("every", time.Second, "between two samples of the process")
	settle   = flag.Float64("settle", 1.0/3, "share of the time, at its beginning, that says nothing about growth")
	strict   = flag.Bool("strict", false, "fail if memory or goroutines grow; a few seconds cannot tell")
	seed     = flag.Uint64("seed", 1, "of what is sent")
	prebuilt = flag.String("programs", "", "folder with a worker and a webhook; empty: build them")
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 3 * time.Minute

// programs is the folder with the worker and the webhook, built as `make build` does.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(procs.Main(m, *prebuilt, &programs, "./worker", "./webhook"))
}
