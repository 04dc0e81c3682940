package main

import (
	"context"
	"fmt"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"didit-temporal/dev/procs"
)

func platforms() []v1.Platform {
	return []v1.Platform{
		{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"},
		{OS: "darwin", Architecture: "amd64"}, {OS: "darwin", Architecture: "arm64"},
	}
}

// suffix is a platform as file names have it.
func suffix(p v1.Platform) string { return p.OS + "_" + p.Architecture }

// The programs of a release, and where they are built from.
var programs = map[string]string{"kyc": "./cmd/kyc", "diditsim": "./didit/diditsim/cmd/diditsim"}

// versionPackage has the variables that the linker sets.
const versionPackage = "didit-temporal/internal/version"

// build leaves the programs for a platform in the work folder. Nothing of this machine gets into them: no paths, no
// settings of its Go, no feature of its processor.
func (r *release) build(ctx context.Context, p v1.Platform) error {
	env := []string{
		"GOOS=" + p.OS, "GOARCH=" + p.Architecture, "GOAMD64=v1", "GOARM64=v8.0",
		"CGO_ENABLED=0", "GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GOEXPERIMENT=",
	}
	link := fmt.Sprintf("-s -w -X %[1]s.version=v%[2]s -X %[1]s.revision=%[3]s", versionPackage, r.version, r.revision)
	for name, source := range programs {
		_, err := procs.Output(ctx, r.root, env, "go", "build", "-trimpath", "-buildvcs=false", "-tags="+r.tags,
			"-ldflags="+link, "-o", r.binary(p, name), source)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *release) binary(p v1.Platform, name string) string {
	return filepath.Join(r.work, suffix(p), name)
}

// bill writes the software bill of materials, which the tool reads from the binary. It names a checksum of itself too,
// hence its -trimpath.
func (r *release) bill(ctx context.Context, p v1.Platform) error {
	out, err := filepath.Abs(r.path(suffix(p) + ".cdx.json"))
	if err != nil {
		return err
	}
	_, err = procs.Output(ctx, r.root, []string{"GOFLAGS=-trimpath", "GOWORK=off"}, "go", "tool", "-modfile=dev/tools/sbom/go.mod", "cyclonedx-gomod",
		"bin", "-json", "-std", "-noserial", "-notimestamp", "-version", "v"+r.version, "-output", out, r.binary(p, "kyc"))
	return err
}
