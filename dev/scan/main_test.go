// Package scan plants words that occur nowhere else wherever personal data and secrets come in, goes every way that a
// verification can go, and looks for them in everything that outlives a request.
package scan

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"didit-temporal/dev/procs"
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 2 * time.Minute

var prebuilt = flag.String("programs", "", "folder with the three programs; empty: build them")

// programs is the folder with our programs, built as `make build` does.
var programs string

func TestMain(m *testing.M) {
	if os.Getenv(panicVariable) != "" {
		if err := runPanicky(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(procs.Main(m, *prebuilt, &programs, "./worker", "./webhook", "./starter"))
}
