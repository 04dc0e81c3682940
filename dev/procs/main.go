package procs

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// Main is the TestMain of a package whose tests start our programs: it builds them, as `make build` does, and runs m, a
// *testing.M. It sets programs to the folder; prebuilt, if not empty, is one that has them already. With -short no test
// starts a program, and nothing is built.
func Main(m interface{ Run() int }, prebuilt string, programs *string, packages ...string) int {
	if *programs = prebuilt; prebuilt != "" || testing.Short() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "programs-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*programs = dir
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	root, err := Root(ctx)
	if err == nil {
		err = Build(ctx, root, dir, nil, packages...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
