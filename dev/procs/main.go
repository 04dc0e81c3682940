package procs

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Main is the TestMain of a package whose tests start our programs: it builds them, as `make build` does, and runs m, a
// *testing.M. programs is told the folder; prebuilt, if not empty, is one that has them already.
func Main(m interface{ Run() int }, prebuilt string, programs *string, packages ...string) int {
	if *programs = prebuilt; prebuilt != "" {
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
	if err := Build(ctx, dir, packages...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
