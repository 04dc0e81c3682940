// Package kube puts what the chart of deploy/helm makes before a real API server of Kubernetes, and runs our programs as its
// Deployments say, through a rolling update.
package kube

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"didit-temporal/dev/procs"
	"didit-temporal/dev/skip"
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 3 * time.Minute

// programs is the folder with kyc, built as `make build` does.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(procs.Main(m, "", &programs, "./cmd/kyc"))
}

// built returns the path of a program that the Makefile builds of dev/tools, or skips the test.
func built(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		skip.Missing(t, fmt.Sprintf("%s is not in the PATH (make dev/bin/%s)", program, program))
	}
	return path
}
