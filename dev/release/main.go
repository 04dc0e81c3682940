// Command release builds everything that is published with a version: go -C dev run ./release. It needs no Docker
// engine. Two runs on the same commit and with the same Go leave the same bytes, whatever the folder or the machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is what all parts of a release have in common.
type release struct {
	root, out string // the repository, and where the files go
	work      string // where binaries are built
	version   string // such as 0.1.0
	date      time.Time
	revision  string
	tags      string // of go build
	platforms []v1.Platform
}

func run(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("release", flag.ContinueOnError)
	r := release{platforms: platforms()}
	fs.StringVar(&r.root, "root", "..", "`folder` of the repository")
	fs.StringVar(&r.out, "out", "", "`folder` for the files; what it held is removed")
	fs.StringVar(&r.tags, "tags", "", "`tags` of go build")
	only := fs.String("only", "", "build for this `platform` alone, such as linux/amd64")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if r.out == "" {
		return fmt.Errorf("-out is missing: name the folder for the files")
	}
	if *only != "" {
		p, err := v1.ParsePlatform(*only)
		if err != nil {
			return err
		}
		r.platforms = []v1.Platform{*p}
	}
	return r.make(ctx)
}

func (r *release) make(ctx context.Context) (err error) {
	if err := r.identify(ctx); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "release-*"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(r.work) }()
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o750); err != nil {
		return err
	}
	files, err := r.files(ctx)
	if err != nil {
		return err
	}
	for _, p := range r.platforms {
		fmt.Println("build", r.version, "for", p)
		if err := r.publish(ctx, p, files); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	for _, i := range images {
		if err := r.image(i); err != nil {
			return fmt.Errorf("image of %s: %w", i.program, err)
		}
	}
	return r.checksums()
}

// publish leaves the archive and the bill of materials of one platform.
func (r *release) publish(ctx context.Context, p v1.Platform, files []string) error {
	if err := r.build(ctx, p); err != nil {
		return err
	}
	if err := r.archive(p, files); err != nil {
		return err
	}
	return r.bill(ctx, p)
}

// path is that of a published file.
func (r *release) path(suffix string) string {
	return filepath.Join(r.out, "kyc_"+r.version+"_"+suffix)
}
