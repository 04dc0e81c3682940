// Package proxies runs the configurations of deploy/proxies in the real nginx, haproxy and Caddy, in front of our real
// programs and a real Temporal server, and sends through them what Didit, strangers and operators send.
package proxies

import (
	"flag"
	"os"
	"testing"
	"time"

	"didit-temporal/dev/procs"
)

var (
	posts     = flag.Int("posts", 600, "webhooks that are sent while replicas fail; make proxies sends 5000")
	longPolls = flag.Bool("longpolls", false, "wait 45 s for the answer to a long poll through each proxy")
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 3 * time.Minute

// programs is the folder with our programs, built as `make build` does.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(procs.Main(m, "", &programs, "./worker", "./webhook", "./starter"))
}
